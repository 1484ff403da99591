// One sentence for people, with a button where something can be done about it.

import { t } from './lang.js';

export class Card {
  box = document.createElement('div');
  #sentence = document.createElement('p');
  #button = document.createElement('button');
  #said = null; // {key, values, action}

  constructor() {
    this.#button.type = 'button';
    this.#button.addEventListener('click', () => this.#said.action.run());
    this.box.append(this.#sentence);
  }

  // say has the sentence of key, with {name} replaced from values, and a button where
  // there is an action {label, run}.
  say(said) {
    this.#said = said;
    this.write();
  }

  // write follows the language.
  write() {
    const { key, values, action } = this.#said;
    this.box.className = key.startsWith('status.') ? 'card' : 'card problem';
    this.box.dataset.key = key;
    write(this.#sentence, t(key, values));
    if (!action) return this.#button.remove();
    write(this.#button, t(action.label));
    if (!this.#button.parentElement) this.box.append(this.#button);
  }
}

// write makes element say text. It is left alone where it does: screen readers read
// out what is written, and what has the focus loses it.
export function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

// writeLines is write for the lines of a list.
export function writeLines(list, lines) {
  while (list.children.length > lines.length) list.lastElementChild.remove();
  while (list.children.length < lines.length) list.append(document.createElement('li'));
  lines.forEach((text, i) => write(list.children[i], text));
}
