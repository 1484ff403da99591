import assert from 'node:assert/strict';
import test from 'node:test';
import * as clock from './clock.mjs';

clock.install();
const listeners = {};
const sockets = [];

globalThis.addEventListener = (name, listener) => { listeners[name] = listener; };
globalThis.document = { hidden: false, addEventListener: globalThis.addEventListener };
globalThis.WebSocket = class {
  static OPEN = 1;
  readyState = 0;
  sent = [];
  constructor(url) {
    this.url = url;
    sockets.push(this);
  }
  send(text) { this.sent.push(text); }
  close() { this.end(1005); }
  begin() { this.readyState = 1; this.onopen(); }
  end(code) {
    if (this.readyState === 3) return;
    this.readyState = 3;
    this.onclose({ code });
  }
};
const { Signal } = await import('./assets/signal.js');

let last = null;

// start makes a Signal and ends the one before it.
function start() {
  last?.close();
  sockets.length = 0;
  const signal = last = new Signal('wss://h/seed/x');
  const told = [];
  signal.onopen = () => told.push('open');
  signal.onlost = ({ code, opened }) => told.push(`${code} ${opened}`);
  signal.onmessage = (message) => told.push(message);
  return { signal, told };
}

test('nothing is opened before connect', () => {
  const { signal } = start();
  listeners.online();
  listeners.visibilitychange();
  clock.tick(100_000);
  assert.equal(sockets.length, 0);
  assert.equal(signal.send({}), false);
});

test('a lost socket comes back, later each time, and soon after it has worked', () => {
  const { signal, told } = start();
  signal.connect();
  for (const wait of [500, 1000, 2000]) {
    const n = sockets.length;
    sockets.at(-1).end(1006);
    clock.tick(wait / 2 - 1);
    assert.equal(sockets.length, n);
    clock.tick(wait / 2 + 1);
    assert.equal(sockets.length, n + 1);
  }
  sockets.at(-1).begin();
  clock.tick(6000);
  sockets.at(-1).end(1001);
  clock.tick(500);
  assert.equal(sockets.length, 5);
  assert.deepEqual(told, ['1006 false', '1006 false', '1006 false', 'open', '1001 true']);
});

test('after 4429 it waits longer', () => {
  const { signal } = start();
  signal.connect();
  sockets[0].begin();
  sockets[0].end(4429);
  clock.tick(4999);
  assert.equal(sockets.length, 1);
  clock.tick(1);
  assert.equal(sockets.length, 2);
});

test('one that does not open is given up', () => {
  const { signal } = start();
  signal.connect();
  clock.tick(10_000);
  assert.equal(sockets[0].readyState, 3);
  clock.tick(1000);
  assert.equal(sockets.length, 2);
});

test('a network that is back is used at once, and old sockets say nothing', () => {
  const { signal, told } = start();
  signal.connect();
  sockets[0].begin();
  listeners.online();
  assert.equal(sockets.length, 2);
  sockets[0].onmessage({ data: '{"old":1}' });
  sockets[1].begin();
  sockets[1].onmessage({ data: '{"new":1}' });
  for (const data of ['', '5', 'null', '{']) sockets[1].onmessage({ data });
  assert.deepEqual(told, ['open', '0 true', 'open', { new: 1 }]);
  assert.equal(signal.send({ a: 1 }), true);
  assert.deepEqual(sockets[1].sent, ['{"a":1}']);
  sockets[1].end(1006);
  listeners.visibilitychange();
  assert.equal(sockets.length, 3);
  clock.tick(10_000);
  signal.close();
  clock.tick(100_000);
  listeners.online();
  assert.equal(sockets.length, 3); // closed is closed
});

test('a renewed socket takes the place of the old one without a word', () => {
  const { signal, told } = start();
  signal.renew(); // nothing is wanted yet
  signal.connect();
  signal.renew(); // and this one is not open yet
  assert.equal(sockets.length, 1);
  sockets[0].begin();
  clock.tick(40_000);
  assert.equal(signal.silence, 40_000);
  sockets[0].onmessage({ data: '{"a":1}' });
  assert.equal(signal.silence, 0);
  signal.renew();
  signal.renew();
  assert.equal(sockets.length, 2);
  assert.equal(signal.open, true); // by the old one
  clock.tick(1_000);
  sockets[1].begin();
  assert.equal(sockets[0].readyState, 3);
  sockets[1].onmessage({ data: '{"b":1}' });
  assert.equal(signal.silence, 0);
  assert.deepEqual(told, ['open', { a: 1 }, 'open', { b: 1 }]);
  clock.tick(100_000);
  assert.equal(sockets.length, 2);
});

test('a renewal that fails says that the socket is lost', () => {
  for (const fail of [() => clock.tick(10_000), () => sockets[1].end(1006), () => sockets[0].end(1006)]) {
    const { signal, told } = start();
    signal.connect();
    sockets[0].begin();
    signal.renew();
    fail();
    assert.equal(signal.open, false);
    assert.deepEqual([sockets[0].readyState, sockets[1].readyState], [3, 3]);
    assert.equal(told.length, 2);
    clock.tick(500);
    assert.equal(sockets.length, 3);
  }
});

test('a page that comes back after long renews its socket', () => {
  const { signal, told } = start();
  signal.connect();
  sockets[0].begin();
  for (const [hidden, count] of [[30_000, 1], [30_001, 2]]) {
    document.hidden = true;
    listeners.visibilitychange();
    clock.tick(hidden);
    document.hidden = false;
    listeners.visibilitychange();
    assert.equal(sockets.length, count);
  }
  sockets[1].begin();
  assert.deepEqual(told, ['open', 'open']);
});
