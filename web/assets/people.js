// Who is in the room, by the names that they give themselves. A name is kept in
// this browser; others get it with each change of what is sent.

import { writeLines } from './card.js';
import { onLanguage, t } from './lang.js';
import { recall, remember } from './memory.js';
import { element } from './view.js';

const KEY = 'icebox.name';
const LONGEST = 40; // letters

export class People {
  onname = () => {}; // the own name is another

  #abouts = new Map(); // id -> {name, audio, video, screen}
  #here = [];

  constructor() {
    element('name').value = clean(recall(KEY, 'localStorage'));
    element('name').addEventListener('change', () => {
      remember(KEY, this.name, 'localStorage');
      this.onname();
    });
    onLanguage(() => this.#write());
  }

  // name is the own one.
  get name() {
    return clean(element('name').value);
  }

  // learn takes what another page says about itself, which may be anything.
  learn(id, { name, audio, video, screen }) {
    this.#abouts.set(id, { name: clean(name), audio: audio !== false, video: video !== false, screen: screen === true });
  }

  forget(id) {
    this.#abouts.delete(id);
  }

  about(id) {
    return this.#abouts.get(id);
  }

  // nameOf is the name of another, or something to tell it from the rest by.
  nameOf(id) {
    return this.about(id)?.name || t('room.guest', { id: id.slice(0, 4) });
  }

  // list shows who is there besides this page.
  list(ids) {
    this.#here = ids;
    this.#write();
  }

  #write() {
    writeLines(element('people'), [t('you'), ...this.#here.map((id) => this.#line(id))]);
  }

  // #line says also whether one is muted, since not everybody sees the sign on the picture.
  #line(id) {
    const name = this.nameOf(id);
    return this.about(id)?.audio === false ? t('room.muted', { name }) : name;
  }
}

function clean(name) {
  return typeof name === 'string' ? name.trim().slice(0, LONGEST) : '';
}
