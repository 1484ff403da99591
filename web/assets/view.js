// What a call page shows besides the videos: its state, what is happening in
// words, problems, and which buttons are there.

import { Card, write, writeLines } from './card.js';
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

// fullScreen gives the videos the whole screen, or takes it back.
export function fullScreen() {
  if (document.fullscreenElement) document.exitFullscreen();
  else element('stage').requestFullscreen();
}

export class View {
  #status = ['status.loading'];
  #ways = new Map();
  #problems = new Map(); // slot -> Card

  constructor() {
    onLanguage(() => {
      this.#writeStatus();
      for (const card of this.#problems.values()) card.write();
      this.#writeWays();
    });
  }

  // state is for scripts and the style sheet: idle, ready, calling, connected or
  // failed.
  state(name) {
    document.body.dataset.state = name;
  }

  // status is the sentence of key.
  status(key, values = {}) {
    this.#status = [key, values];
    this.#writeStatus();
  }

  // problem shows the sentence of key in its slot, with a button where there is
  // an action {label, run}. Key '' clears the slot.
  problem(slot, key, { values, action } = {}) {
    let card = this.#problems.get(slot);
    if (!key) {
      card?.box.remove();
      this.#problems.delete(slot);
      return;
    }
    if (!card) this.#problems.set(slot, card = new Card());
    card.say({ key, values, action });
    if (!card.box.parentElement) element('problems').append(card.box);
  }

  // ways lists how calls travel whose pictures are not shown here.
  ways(known) {
    this.#ways = known;
    this.#writeWays();
  }

  #writeWays() {
    writeLines(element('ways'), [...this.#ways.values()].slice(0, MOST_WAYS).map(describe));
  }

  #writeStatus() {
    write(element('status'), t(...this.#status));
    element('status').dataset.key = this.#status[0];
  }
}
