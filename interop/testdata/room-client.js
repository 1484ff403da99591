'use strict';

// A client for the rooms of icebox: one RoomClient is one peer of one room.
//
//   const room = new RoomClient('wss://home.example:3002/ws/kitchen', { invite });
//   room.on('message', (message, text) => ...);     // from a peer: message.from, message.type, ...
//   room.send({ type: 'hello' });                   // to everybody else
//   room.send({ type: 'offer', sdp }, peerId);      // to one
//   room.leave();
//
// Events:
//   welcome      (welcome)                 entered, or came back (welcome.resumed)
//   peer-joined  (id), peer-left (id)
//   message      (message, text)           text is what came, byte for byte: JSON.parse rounds big numbers
//   ice-servers  (iceServers, restart)     at each welcome and whenever there are new ones;
//                                          restart: running calls need an ICE restart now
//   refused      ({ code, message, received, text })   the server took this message of ours, for nobody
//   lost         ({ code, reason, delay }) the connection is gone; next attempt in delay ms
//   dropped      (texts)                   we can't be the peer we were any more: of these messages
//                                          nobody knows whether they arrived
//   closed       ({ code, reason, message })           over, no further attempt

const { EventEmitter } = require('node:events');
const WebSocket = require('ws');

const OPTIONS = {
  invite: '',
  minDelay: 500, // ms before the first attempt to come back; doubles from there
  maxDelay: 30000,
  slowDelay: 5000, // ms at least, where the server asks to wait
  silence: 60000, // ms without a word, not even a ping (they come every 25 s): the connection is dead
  perSecond: 40, // messages; the server allows 50 a second and 200 at once, pongs included
  burst: 150,
  maxMessage: 65536, // bytes; a longer one would cost us our place in the room
  ws: {}, // options for the WebSocket itself, rejectUnauthorized for one
};

// After these the same attempt again would end in the same way.
const FINAL = new Set([1002, 1003, 1007, 1009, 4401, 4409]);

// The server tells only in a welcome or an error how many of our messages it has taken. A message to
// ourselves tells it as well: when it comes back, everything before it has been taken. So after every
// MARK_EVERY messages that we keep goes one such, or we would keep all messages forever.
const MARK_EVERY = 64;
const MARK = 'room-client.mark';

class RoomClient extends EventEmitter {
  constructor(url, options = {}) {
    super();
    this.url = url;
    this.options = { ...OPTIONS, ...options };
    this.id = null;
    this.peers = new Set();
    this.iceServers = [];
    this.token = null; // with it we come back
    this.seq = 0; // the highest that has come
    this.taken = 0; // how many of our messages the server has taken, as far as we know
    this.kept = []; // our messages after those: kept[0] has the number taken + 1
    this.written = 0; // number of the last message handed to this connection's WebSocket
    this.marked = false; // a mark is on its way
    this.ready = false; // welcomed on this connection
    this.over = false;
    this.attempt = 0;
    this.budget = this.options.burst;
    this.budgetAt = Date.now();
    this.connect();
  }

  // ---- what a program calls ----

  send(message, to) {
    this.sendText(JSON.stringify(to === undefined ? message : { ...message, to }));
  }

  // For who needs control over each byte: text is a JSON object with a string "type".
  sendText(text) {
    if (this.over) throw new Error('not in the room any more');
    if (Buffer.byteLength(text) > this.options.maxMessage) throw new RangeError('message too long');
    this.kept.push(text);
    if (this.id && this.kept.length >= MARK_EVERY && !this.marked) this.mark();
    this.flush();
  }

  leave() {
    this.stop({ code: 1000, reason: '', message: 'left' });
  }

  // ---- connection ----

  address() {
    const query = this.token
      ? `resume=${encodeURIComponent(this.token)}&seq=${this.seq}`
      : this.options.invite && `invite=${encodeURIComponent(this.options.invite)}`;
    return query ? `${this.url}?${query}` : this.url;
  }

  connect() {
    const end = { status: 0, message: '' }; // what we learn about the end before it comes
    const ws = new WebSocket(this.address(), { perMessageDeflate: false, handshakeTimeout: 10000, ...this.options.ws });
    this.ws = ws;
    this.listenForSilence(ws);
    ws.on('ping', () => this.listenForSilence(ws));
    ws.on('message', (data) => {
      if (ws !== this.ws) return;
      this.listenForSilence(ws);
      this.receive(data.toString(), end);
    });
    ws.on('unexpected-response', (request, response) => {
      end.status = response.statusCode;
      response.resume();
      ws.terminate();
    });
    ws.on('error', (error) => { end.message ||= error.message; });
    ws.on('close', (code, reason) => {
      if (ws === this.ws) this.ended(code, reason.toString(), end);
    });
  }

  // A connection may die without a sign; the pings of the server show that it lives.
  listenForSilence(ws) {
    if (ws !== this.ws) return;
    clearTimeout(this.silenceTimer);
    this.silenceTimer = setTimeout(() => ws.terminate(), this.options.silence);
  }

  ended(code, reason, { status, message }) {
    clearTimeout(this.silenceTimer);
    this.ready = false;
    if (status) message = `refused with HTTP ${status}`;
    if (FINAL.has(code) || (status >= 400 && status < 500)) {
      return this.stop({ code, reason, message });
    }
    let atLeast = status === 503 ? this.options.slowDelay : 0;
    if (code === 1001 || code === 4429) atLeast = this.options.slowDelay;
    // The peer that we were is gone with these, so enter as a new one. The other reasons of 4429 only
    // keep us from coming in.
    if (code === 1001 || code === 4404 || (code === 4429 && reason === 'rate-limited')) this.forget();
    const delay = Math.max(atLeast, Math.min(this.options.maxDelay, this.options.minDelay * 2 ** this.attempt++));
    this.again({ code, reason, message, delay: Math.round(delay * (1 + Math.random() / 2)) });
  }

  again(why) {
    this.retryTimer = setTimeout(() => this.connect(), why.delay);
    this.emit('lost', why);
  }

  stop(why) {
    if (this.over) return;
    this.over = true;
    this.ready = false;
    for (const timer of [this.silenceTimer, this.retryTimer, this.flushTimer]) clearTimeout(timer);
    if (this.ws.readyState <= WebSocket.OPEN) this.ws.close(1000);
    this.ws = null;
    this.emit('closed', why);
  }

  forget() {
    const texts = this.kept.filter((text) => !text.includes(MARK));
    this.token = null;
    this.id = null;
    this.seq = 0;
    this.taken = 0;
    this.written = 0;
    this.kept = [];
    this.marked = false;
    if (texts.length) this.emit('dropped', texts);
  }

  // ---- sending ----

  mark() {
    this.marked = true;
    const number = this.taken + this.kept.length + 1;
    this.kept.push(JSON.stringify({ type: MARK, to: this.id, number }));
  }

  flush() {
    while (this.ready && this.written < this.taken + this.kept.length) {
      if (!this.spend()) return;
      this.ws.send(this.kept[this.written - this.taken]);
      this.written++;
    }
  }

  // Who sends faster than the server allows loses its place, so what is too much waits. A new connection
  // gets no new budget, here as there.
  spend() {
    const { perSecond, burst } = this.options;
    const now = Date.now();
    this.budget = Math.min(burst, this.budget + ((now - this.budgetAt) * perSecond) / 1000);
    this.budgetAt = now;
    if (this.budget >= 1) {
      this.budget--;
      return true;
    }
    clearTimeout(this.flushTimer);
    this.flushTimer = setTimeout(() => this.flush(), 1000 / perSecond);
    return false;
  }

  // The server has taken our messages up to this number: no need to keep them.
  forgetUpTo(number) {
    if (number <= this.taken) return;
    this.kept.splice(0, number - this.taken);
    this.taken = number;
  }

  // ---- receiving ----

  receive(text, end) {
    const message = JSON.parse(text);
    if (message.type === 'welcome') return this.welcomed(message);
    if (message.type === 'error') return this.failed(message, end);
    if (!(message.seq > this.seq)) return; // seen already, or a kind of message that is newer than we are
    this.seq = message.seq;
    if (message.from !== undefined) return this.fromPeer(message, text);
    if (message.type === 'ice-servers') this.takeIceServers(message);
    if (message.type === 'peer-joined') {
      this.peers.add(message.id);
      this.emit('peer-joined', message.id);
    }
    if (message.type === 'peer-left') {
      this.peers.delete(message.id);
      this.emit('peer-left', message.id);
    }
  }

  welcomed(welcome) {
    this.attempt = 0;
    if (!welcome.resumed && this.id) this.forget(); // a box that lets nobody come back
    this.id = welcome.id;
    this.token = welcome.resume;
    // After coming back, the peer-joined and peer-left that we missed follow and lead to welcome.peers,
    // so our set stays as it was, and the program hears of each change.
    if (!welcome.resumed) this.peers = new Set(welcome.peers);
    this.forgetUpTo(welcome.received);
    this.written = this.taken; // what the server has not taken goes again
    this.emit('welcome', welcome);
    this.takeIceServers(welcome);
    if (this.over) return; // the program left in a handler
    this.ready = true;
    this.flush();
  }

  failed(error, end) {
    if (error.received === undefined) {
      end.message = error.message; // a close follows
      return;
    }
    const text = this.kept[error.received - this.taken - 1];
    this.forgetUpTo(error.received);
    this.emit('refused', { ...error, text });
  }

  fromPeer(message, text) {
    if (message.from === this.id && message.type === MARK) {
      this.marked = false;
      return this.forgetUpTo(message.number);
    }
    this.emit('message', message, text);
  }

  takeIceServers({ iceServers, restart }) {
    this.iceServers = iceServers;
    this.emit('ice-servers', iceServers, restart === true);
  }
}

module.exports = { RoomClient };
