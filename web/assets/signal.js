// The socket to the box. It comes back by itself after whatever ends it, sooner
// when the browser says that the network or the page is back. One that has died
// without a word is for the Call to suspect, which knows what should be heard.

import { Backoff } from './backoff.js';

const OPENING = 10_000; // ms; a browser alone would wait for minutes
const STEADY = 5_000; // ms; after that a socket counts as having worked
const HIDDEN = 30_000; // ms; a page that was hidden for longer may have been asleep
const PATIENCE = new Map([[4429, 5_000]]); // ms, at least, by close code

export class Signal {
  onopen = () => {};
  onmessage = () => {}; // (object)
  onlost = () => {}; // ({code, opened}): it is tried again after this

  #url;
  #socket = null;
  #next = null; // which takes the place of #socket once it is open
  #heard = 0; // when the box last gave a sign of life
  #hiddenAt = 0; // by Date.now: the clock of performance may stand still with the device
  #timer = 0;
  #backoff = new Backoff(500, 15_000);
  #wanted = false; // between connect and close

  constructor(url) {
    this.#url = url;
    addEventListener('online', () => this.recycle());
    document.addEventListener('visibilitychange', () => this.#visibility());
  }

  get open() {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  // silence is for how many ms nothing was heard of the box.
  get silence() {
    return performance.now() - this.#heard;
  }

  // connect opens the socket now, also when a try was planned for later.
  connect() {
    this.#wanted = true;
    if (this.#socket) return;
    clearTimeout(this.#timer);
    this.#socket = this.#dial();
  }

  // renew opens another socket in place of one that may be dead without knowing,
  // which stays until then. onlost is called only if the other fails too.
  renew() {
    if (this.open) this.#next ??= this.#dial();
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
    this.#drop();
    if (old) this.onlost({ code: 0, opened: true });
    this.connect();
  }

  // close is for good.
  close() {
    this.#wanted = false;
    clearTimeout(this.#timer);
    this.#drop();
  }

  #visibility() {
    if (document.hidden) {
      this.#hiddenAt = Date.now();
    } else if (this.#wanted) {
      if (Date.now() - this.#hiddenAt > HIDDEN) this.renew();
      this.connect();
    }
  }

  #dial() {
    const socket = new WebSocket(this.#url);
    let openedAt = 0;
    const opening = setTimeout(() => socket.close(), OPENING);
    socket.onopen = () => {
      clearTimeout(opening);
      openedAt = performance.now();
      this.#opened(socket);
    };
    socket.onmessage = ({ data }) => {
      if (socket === this.#socket) this.#take(data);
    };
    socket.onclose = ({ code }) => {
      clearTimeout(opening);
      if (openedAt && performance.now() - openedAt > STEADY) this.#backoff.reset();
      this.#closed(socket, { code, opened: openedAt > 0 });
    };
    return socket;
  }

  #opened(socket) {
    if (socket === this.#next) {
      const old = this.#socket;
      this.#socket = socket;
      this.#next = null;
      old.close();
    }
    if (socket !== this.#socket) return;
    this.#heard = performance.now();
    this.onopen();
  }

  // #closed takes the end of a socket, or of a try. The failure of a new one says
  // that the one before is dead too.
  #closed(socket, how) {
    if (socket !== this.#socket && socket !== this.#next) return;
    this.#drop();
    if (!this.#wanted) return;
    this.#timer = setTimeout(() => this.connect(), this.#backoff.next(PATIENCE.get(how.code)));
    this.onlost(how);
  }

  // #drop gives up what there is. It is not listened to any more.
  #drop() {
    const [socket, next] = [this.#socket, this.#next];
    this.#socket = this.#next = null;
    socket?.close();
    next?.close();
  }

  #take(data) {
    this.#heard = performance.now();
    let message;
    try {
      message = JSON.parse(data);
    } catch {
      return; // not one of ours: any page can talk here
    }
    if (message && typeof message === 'object') this.onmessage(message);
  }
}
