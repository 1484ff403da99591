// Watches how the connections of a call travel.

import { rate, selectedPath } from './path.js';

const PERIOD = 2_000; // ms

export class PathWatch {
  known = new Map(); // id -> {path, bits}
  #call;
  #change;
  #looking = false;

  // change is called after each look.
  constructor(call, change) {
    this.#call = call;
    this.#change = change;
    setInterval(() => this.look(), PERIOD);
  }

  // look reads the statistics of what is connected, forgets the rest, and writes
  // the first path where scripts find it: data-path, data-protocol, data-local
  // and data-remote of the body.
  async look() {
    if (this.#looking) return;
    this.#looking = true;
    const found = new Map();
    for (const { id, pc, state } of [...this.#call.peers.values()]) {
      if (state !== 'connected') continue;
      const path = selectedPath(await pc.getStats().catch(() => new Map()));
      const before = this.known.get(id);
      if (path) found.set(id, { path, bits: rate(before?.path, path) ?? before?.bits });
    }
    this.#looking = false;
    this.known = found;
    const [first] = found.values();
    const data = document.body.dataset;
    for (const [name, value] of Object.entries({
      path: first?.path.kind, protocol: first?.path.protocol, local: first?.path.local, remote: first?.path.remote,
    })) {
      if (value) data[name] = value;
      else delete data[name];
    }
    this.#change();
  }
}
