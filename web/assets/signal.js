// The socket to the box. It comes back by itself after whatever ends it, sooner
// when the browser says that the network or the page is back.

import { Backoff } from './backoff.js';

const OPENING = 10_000; // ms; a browser alone would wait for minutes
const STEADY = 5_000; // ms; after that a socket counts as having worked
const PATIENCE = new Map([[4429, 5_000]]); // ms, at least, by close code

export class Signal {
  onopen = () => {};
  onmessage = () => {}; // (object)
  onlost = () => {}; // ({code, opened}): it is tried again after this

  #url;
  #socket = null;
  #timer = 0;
  #backoff = new Backoff(500, 15_000);
  #wanted = false; // between connect and close

  constructor(url) {
    this.#url = url;
    addEventListener('online', () => this.recycle());
    document.addEventListener('visibilitychange', () => {
      if (!document.hidden && this.#wanted && !this.#socket) this.connect();
    });
  }

  get open() {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  // connect opens the socket now, also when a try was planned for later.
  connect() {
    this.#wanted = true;
    if (this.#socket) return;
    clearTimeout(this.#timer);
    const socket = new WebSocket(this.#url);
    this.#socket = socket;
    let openedAt = 0;
    const opening = setTimeout(() => socket.close(), OPENING);
    socket.onopen = () => {
      clearTimeout(opening);
      openedAt = Date.now();
      if (socket === this.#socket) this.onopen();
    };
    socket.onmessage = ({ data }) => {
      if (socket === this.#socket) this.#take(data);
    };
    socket.onclose = ({ code }) => {
      clearTimeout(opening);
      if (openedAt && Date.now() - openedAt > STEADY) this.#backoff.reset();
      if (socket === this.#socket) this.#lose(code, openedAt > 0);
    };
  }

  // send says whether message left the page. What did not is gone: whoever sent
  // it starts over when the socket is back.
  send(message) {
    if (!this.open) return false;
    this.#socket.send(JSON.stringify(message));
    return true;
  }

  // recycle gives up a socket that may be dead without knowing, for a new one.
  recycle() {
    if (!this.#wanted) return;
    const old = this.#socket;
    this.#socket = null;
    old?.close();
    if (old) this.onlost({ code: 0, opened: true });
    this.connect();
  }

  // close is for good.
  close() {
    this.#wanted = false;
    clearTimeout(this.#timer);
    this.#socket?.close();
  }

  #take(data) {
    let message;
    try {
      message = JSON.parse(data);
    } catch {
      return; // not one of ours: any page can talk here
    }
    if (message && typeof message === 'object') this.onmessage(message);
  }

  #lose(code, opened) {
    this.#socket = null;
    if (!this.#wanted) return;
    this.#timer = setTimeout(() => this.connect(), this.#backoff.next(PATIENCE.get(code)));
    this.onlost({ code, opened });
  }
}
