// The videos: this page's own, and one for each page that sends. The first of
// those is remote_H, the others are made beside it.

import { describe } from './describe.js';
import { onLanguage } from './lang.js';
import { play, unmute } from './play.js';
import { element, show } from './view.js';

export class Tiles {
  #stage = element('stage');
  #first = element('remote_H').parentElement;
  #more = [];
  #paths = new Map(); // id -> {path, bits}
  #shown = []; // peers

  constructor() {
    element('sound').addEventListener('click', () => unmute());
    onLanguage(() => this.#caption());
  }

  // local shows what this page sends, null for nothing. Cameras at the front are
  // shown as in a mirror.
  local(stream, mirrored = false) {
    const video = element('local_H');
    if (video.srcObject !== stream) video.srcObject = stream;
    video.classList.toggle('mirrored', mirrored);
    video.parentElement.hidden = !stream;
    video.parentElement.classList.toggle('audio', Boolean(stream) && stream.getVideoTracks().length === 0);
  }

  // remote shows the streams of peers, in their order, and says how many.
  remote(peers) {
    this.#shown = peers.filter(({ stream, wasConnected }) => stream && wasConnected);
    while (this.#more.length < this.#shown.length - 1) this.#more.push(this.#another());
    for (const extra of this.#more.splice(Math.max(0, this.#shown.length - 1))) extra.remove();
    [this.#first, ...this.#more].forEach((tile, i) => this.#fill(tile, this.#shown[i]));
    this.#stage.dataset.remotes = this.#shown.length;
    if (this.#shown.length === 0) show(false, 'sound');
    this.#caption();
    return this.#shown.length;
  }

  // paths are what is known of how each call travels, by id of the peer.
  paths(known) {
    this.#paths = known;
    this.#caption();
  }

  #another() {
    const tile = this.#first.cloneNode(true);
    const video = tile.querySelector('video');
    video.removeAttribute('id');
    video.srcObject = null;
    this.#stage.insertBefore(tile, element('local_H').parentElement);
    return tile;
  }

  #fill(tile, peer) {
    const video = tile.querySelector('video');
    tile.hidden = !peer;
    tile.dataset.state = peer?.state ?? '';
    tile.classList.toggle('audio', Boolean(peer) && peer.stream.getVideoTracks().length === 0);
    if (video.srcObject === (peer?.stream ?? null)) return;
    video.srcObject = peer?.stream ?? null;
    if (peer) play(video);
  }

  #caption() {
    [this.#first, ...this.#more].forEach((tile, i) => {
      const known = this.#paths.get(this.#shown[i]?.id);
      const caption = tile.querySelector('figcaption');
      caption.hidden = !known;
      if (!known) return;
      caption.textContent = describe(known);
    });
  }
}
