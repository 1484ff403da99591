// What a call page shows besides the videos: its state, what is happening in
// words, problems, and which buttons are there.

import { onLanguage, t } from './lang.js';
import { describe } from './describe.js';

const MOST_WAYS = 8;

export const element = (id) => document.getElementById(id);

// show hides or shows elements that may not be on this page.
export function show(visible, ...ids) {
  for (const id of ids) {
    const e = element(id);
    if (e) e.hidden = !visible;
  }
}

export class View {
  #status = ['status.loading'];
  #ways = new Map();
  #problems = new Map(); // slot -> {key, values, action}

  constructor() {
    onLanguage(() => {
      this.#writeStatus();
      this.#writeProblems();
      this.#writeWays();
    });
  }

  // state is for scripts and the style sheet: idle, ready, calling, connected or
  // failed.
  state(name) {
    document.body.dataset.state = name;
  }

  // status is the sentence of key. It is only written when it changes: screen
  // readers read it out.
  status(key, values = {}) {
    if (JSON.stringify(this.#status) === JSON.stringify([key, values])) return;
    this.#status = [key, values];
    this.#writeStatus();
  }

  // problem shows the sentence of key in its slot, with a button where there is
  // an action {label, run}. Key '' clears the slot.
  problem(slot, key, { values, action } = {}) {
    if (!key && !this.#problems.has(slot)) return;
    if (key) this.#problems.set(slot, { key, values, action });
    else this.#problems.delete(slot);
    this.#writeProblems();
  }

  // ways lists how calls travel whose pictures are not shown here.
  ways(known) {
    this.#ways = known;
    this.#writeWays();
  }

  #writeWays() {
    element('ways').replaceChildren(...[...this.#ways.values()].slice(0, MOST_WAYS).map((known) => {
      const line = document.createElement('li');
      line.textContent = describe(known);
      return line;
    }));
  }

  #writeStatus() {
    element('status').textContent = t(...this.#status);
    element('status').dataset.key = this.#status[0];
  }

  #writeProblems() {
    element('problems').replaceChildren(...[...this.#problems.values()].map(card));
  }
}

function card({ key, values, action }) {
  const box = document.createElement('div');
  box.className = key.startsWith('status.') ? 'card' : 'card problem';
  box.dataset.key = key;
  const sentence = document.createElement('p');
  sentence.textContent = t(key, values);
  box.append(sentence);
  if (action) {
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = t(action.label);
    button.addEventListener('click', action.run);
    box.append(button);
  }
  return box;
}
