// The videos of a room: this page's own, and one tile for each other peer, made
// of the template tile.

import { describe } from './describe.js';
import { t } from './lang.js';
import { play, unmute } from './play.js';
import { element, show } from './view.js';

export class RoomTiles {
  #stage = element('stage');
  #tiles = new Map(); // id of the peer -> its tile

  constructor() {
    element('sound').addEventListener('click', unmute);
  }

  // local shows what this page sends. Cameras are shown as in a mirror.
  local(stream, { video, screen }) {
    const mine = element('local');
    const tile = mine.parentElement;
    if (mine.srcObject !== stream) mine.srcObject = stream; // setting it again begins anew
    mine.classList.toggle('mirrored', !screen);
    tile.hidden = !stream;
    tile.classList.toggle('audio', !video);
  }

  // remote shows people: {peer, name, about, known}, known being how the
  // connection travels.
  remote(people) {
    const there = new Set(people.map(({ peer }) => peer.id));
    for (const [id, tile] of this.#tiles) {
      if (there.has(id)) continue;
      tile.remove();
      this.#tiles.delete(id);
    }
    for (const person of people) this.#fill(this.#tile(person.peer.id), person);
    this.#stage.dataset.remotes = people.length;
    if (people.length === 0) show(false, 'sound');
  }

  #tile(id) {
    if (this.#tiles.has(id)) return this.#tiles.get(id);
    const tile = element('tile').content.firstElementChild.cloneNode(true);
    tile.dataset.peer = id;
    this.#stage.insertBefore(tile, element('local').parentElement);
    this.#tiles.set(id, tile);
    return tile;
  }

  #fill(tile, { peer, name, about, known }) {
    tile.dataset.state = peer.state;
    put(tile.dataset, { path: known?.path.kind, protocol: known?.path.protocol });
    put(tile.dataset, { audio: about && String(about.audio), video: about && String(about.video), screen: about && String(about.screen) });
    tile.classList.toggle('audio', about?.video === false);
    tile.querySelector('.name').textContent = name;
    tile.querySelector('.muted').toggleAttribute('hidden', about?.audio !== false);
    tile.querySelector('.way').textContent = way(peer, known);
    const video = tile.querySelector('video');
    video.setAttribute('aria-label', about?.audio === false ? t('room.muted', { name }) : name);
    if (video.srcObject === peer.stream) return;
    video.srcObject = peer.stream;
    play(video);
  }
}

// way is a line on how the connection travels, or what is the matter with it.
function way(peer, known) {
  if (peer.state === 'connected') return known ? describe({ path: known.path }) : ''; // short: it lies over the picture
  return t({ disconnected: 'room.repair', failed: 'room.repair' }[peer.state] ?? 'room.connecting');
}

// put sets attributes, and removes those that are undefined.
function put(data, values) {
  for (const [name, value] of Object.entries(values)) {
    if (value === undefined) delete data[name];
    else data[name] = value;
  }
}
