import assert from 'node:assert/strict';
import test from 'node:test';
import * as clock from './clock.mjs';
import { install, media, Room } from './fakes.mjs';

install();
clock.install();
const listeners = {}; // of the window, the last of each
globalThis.addEventListener = (name, listener) => { listeners[name] = listener; };
const { Call } = await import('./assets/call.js');
const { Peer } = await import('./assets/peer.js');

async function pass(ms) {
  for (let i = 0; i < ms; i += 100) {
    clock.tick(100);
    await clock.settle();
  }
}

// page is one page in room, joined.
async function page(room, role = 'both', fields = {}) {
  const signal = room.socket();
  const call = new Call({ kind: '1cs1cs', role, signal, config: {}, media: media(), ...fields });
  signal.onopen();
  await pass(400);
  return { call, signal };
}

const all = (call) => [...call.peers.values()];
const one = (call) => all(call)[0];
const negotiated = (call, n) => {
  assert.equal(call.peers.size, n);
  for (const { pc } of all(call)) {
    assert.equal(pc.signalingState, 'stable');
    assert.ok(pc.remoteDescription);
    assert.equal(pc.getSenders().length, 2);
  }
};
function connect(...pages) {
  for (const { call } of pages) for (const { pc } of all(call)) pc.become('connected');
}

test('nobody is called before the click, everybody after it', async () => {
  const room = new Room();
  const [a, b, c] = [await page(room), await page(room), await page(room)];
  assert.deepEqual([a, b, c].map(({ call }) => call.others.size), [2, 2, 2]);
  assert.ok(!room.types().includes('offer'));
  a.call.start();
  await pass(1500);
  for (const { call } of [a, b, c]) negotiated(call, 2); // b and c called each other
});

test('two who call at one moment get one connection', async () => {
  for (let i = 0; i < 10; i++) {
    const room = new Room();
    const [a, b] = [await page(room), await page(room)];
    a.call.start();
    b.call.start();
    await pass(500);
    negotiated(a.call, 1);
    negotiated(b.call, 1);
    assert.equal(one(a.call).sid, one(b.call).rsid);
    assert.equal(one(b.call).sid, one(a.call).rsid);
    assert.deepEqual(room.types().filter((type) => type === 'answer').length, 1);
  }
});

test('candidates go both ways, and wait for the description', async () => {
  const room = new Room();
  const [a, b] = [await page(room), await page(room)];
  a.call.start();
  await clock.settle();
  one(a.call).pc.gather('a1');
  await pass(500);
  one(b.call).pc.gather('b1');
  one(b.call).pc.gather('b2');
  await pass(500);
  assert.deepEqual(one(b.call).pc.candidates, [{ candidate: 'a1' }]);
  assert.deepEqual(one(a.call).pc.candidates, [{ candidate: 'b1' }, { candidate: 'b2' }]);
  assert.equal(room.types().filter((type) => type === 'ice').length, 2); // b1 and b2 in one
  const early = one(a.call);
  early.pc.remoteDescription = null;
  early.receive({ type: 'ice', candidates: [{ candidate: 'early' }] });
  await clock.settle();
  assert.equal(early.pc.candidates.length, 2);
  early.receive({ type: 'offer', sdp: 'x', round: 9 });
  await clock.settle();
  assert.deepEqual(early.pc.candidates[2], { candidate: 'early' });
});

test('who comes later is called, who hung up is not', async () => {
  const room = new Room();
  const [a, b] = [await page(room), await page(room)];
  a.call.start();
  await pass(1500);
  connect(a, b);
  const c = await page(room);
  await pass(1500);
  for (const { call } of [a, b, c]) negotiated(call, 2);
  connect(a, b, c);
  c.call.hangUp();
  await pass(60_000); // presence is announced meanwhile
  assert.deepEqual([a, b, c].map(({ call }) => call.peers.size), [1, 1, 0]);
  a.call.start(); // calls again whoever hung up
  await pass(1500);
  negotiated(c.call, 2);
});

test('a broken connection is restarted, once at a time', async () => {
  const room = new Room();
  const [a, b] = [await page(room), await page(room)];
  a.call.start();
  await pass(500);
  connect(a, b);
  await pass(60_000);
  const restarts = () => one(a.call).pc.restarts + one(b.call).pc.restarts;
  assert.equal(restarts(), 0);
  for (const { call } of [a, b]) one(call).pc.become('disconnected');
  await pass(2500);
  assert.equal(restarts(), 0); // mostly it comes back by itself
  await pass(2000);
  assert.equal(restarts(), 1);
  negotiated(a.call, 1);
  for (const { call } of [a, b]) one(call).pc.become('failed');
  await pass(30_000);
  assert.ok(restarts() >= 3 && restarts() <= 8, `${restarts()} restarts`);
  assert.equal(a.call.peers.size, 1); // b is still heard
});

test('a clock that is set back does not hold up a restart', async () => {
  const room = new Room();
  const [a, b] = [await page(room), await page(room)];
  a.call.start();
  await pass(500);
  connect(a, b);
  for (const { call } of [a, b]) one(call).pc.become('disconnected');
  clock.setBack(3_600_000);
  await pass(4_500);
  assert.equal(one(a.call).pc.restarts + one(b.call).pc.restarts, 1);
});

test('an offer that was lost with a socket is made again when it is back', async () => {
  for (const away of ['caller', 'called']) {
    const room = new Room();
    const [a, b] = [await page(room), await page(room)];
    const lost = away === 'caller' ? a : b;
    lost.signal.open = false;
    a.call.start();
    await pass(500);
    assert.equal(b.call.peers.size, 0);
    lost.signal.open = true;
    lost.signal.onopen();
    await pass(5_500); // sooner than what is tried without having heard of it
    negotiated(a.call, 1);
    negotiated(b.call, 1);
  }
});

test('a socket that is lost and comes back leaves a connection alone', async () => {
  const room = new Room();
  const [a, b] = [await page(room), await page(room)];
  a.call.start();
  await pass(500);
  connect(a, b);
  const before = one(a.call).pc;
  a.signal.open = false;
  await pass(200_000);
  a.signal.open = true;
  a.signal.onopen();
  await pass(20_000);
  assert.equal(one(a.call).pc, before);
  assert.equal(before.restarts, 0);
});

test('a socket that is silent for too long is renewed: sooner with others, soonest in trouble', async () => {
  const room = new Room();
  const [a, b] = [await page(room), await page(room)];
  const renewed = async (silence) => {
    const before = a.signal.renewals;
    a.signal.silence = silence;
    await pass(1_000);
    a.signal.silence = 0;
    return a.signal.renewals > before;
  };
  assert.deepEqual([await renewed(35_000), await renewed(35_001)], [false, true]);
  a.call.start();
  await pass(500);
  connect(a, b);
  assert.deepEqual([await renewed(35_000), await renewed(35_001)], [false, true]);
  one(a.call).pc.become('disconnected');
  await pass(4_000);
  assert.deepEqual([await renewed(10_001), await renewed(10_000), await renewed(10_001)], [false, false, true]);
  const alone = await page(new Room());
  Object.assign(a, alone);
  assert.deepEqual([await renewed(60_000), await renewed(60_001)], [false, true]);
});

test('an answer to an offer before the last one is not taken', async () => {
  const sent = [];
  const peer = new Peer('a', 'b', {}, { send: (type, fields) => sent.push({ type, ...fields }), change() {} });
  peer.dial(media());
  await clock.settle();
  peer.restart();
  await clock.settle();
  assert.deepEqual(sent.map(({ type, round }) => [type, round]), [['offer', 1], ['offer', 2]]);
  peer.receive({ type: 'answer', sdp: 'old', round: 1 });
  await clock.settle();
  assert.equal(peer.pc.signalingState, 'have-local-offer');
  peer.receive({ type: 'answer', sdp: 'new', round: 2 });
  await clock.settle();
  assert.equal(peer.pc.remoteDescription.sdp, 'new');
});

test('media that change while an offer is out are sent once it is answered', async () => {
  const sent = [];
  const peer = new Peer('a', 'b', {}, { send: (type) => sent.push(type), change() {} });
  const [audio, video] = media().getTracks();
  peer.dial({ getTracks: () => [audio] });
  await clock.settle();
  peer.setMedia({ getTracks: () => [audio, video] });
  await clock.settle();
  assert.deepEqual(peer.pc.getSenders().map(({ track }) => track), [audio]);
  peer.receive({ type: 'answer', sdp: 'x', round: 1 });
  await clock.settle();
  assert.deepEqual(peer.pc.getSenders().map(({ track }) => track), [audio, video]);
  assert.deepEqual(sent, ['offer', 'offer']);
  const streams = peer.pc.getSenders().map(({ stream }) => stream);
  assert.equal(streams[0], streams[1]); // or they would play one of the two
});

test('who is gone is dropped: at once with a word, after a while without', async () => {
  const room = new Room();
  const [a, b, c] = [await page(room), await page(room), await page(room)];
  a.call.start();
  await pass(1500);
  connect(a, b, c);
  const [, idOfB, idOfC] = room.said.filter(({ type }) => type === 'join').map(({ from }) => from);
  b.signal.send({ call: '1cs1cs', type: 'leave', from: idOfB });
  b.signal.open = c.signal.open = false;
  await pass(100);
  assert.deepEqual([...a.call.peers.keys()], [idOfC]);
  one(a.call).pc.become('failed');
  await pass(90_000);
  assert.equal(a.call.peers.size, 0);
});

test('a connection that the other side has forgotten is made anew', async () => {
  const room = new Room();
  const [a, b] = [await page(room), await page(room)];
  a.call.start();
  await pass(500);
  connect(a, b);
  const old = one(a.call);
  one(b.call).close();
  b.call.peers.clear();
  old.pc.become('failed');
  await pass(10_000);
  negotiated(a.call, 1);
  negotiated(b.call, 1);
  assert.notEqual(one(a.call), old);
  assert.equal(old.pc.signalingState, 'closed');
});

test('a sender calls those who watch, whoever came first', async () => {
  const room = new Room();
  const w1 = await page(room, 'watch', { media: null });
  const s = await page(room, 'send', { media: null });
  await pass(1000);
  assert.equal(s.call.peers.size, 0); // it has nothing to send yet
  s.call.setMedia(media());
  await pass(1000);
  const w2 = await page(room, 'watch', { media: null });
  await pass(1000);
  negotiated(s.call, 2);
  for (const w of [w1, w2]) {
    assert.equal(w.call.peers.size, 1);
    assert.equal(one(w.call).pc.getSenders().length, 0);
  }
  s.call.hangUp();
  s.call.setMedia(null);
  await pass(60_000);
  assert.deepEqual([s, w1, w2].map(({ call }) => call.peers.size), [0, 0, 0]);
  s.call.setMedia(media());
  await pass(1000);
  negotiated(s.call, 2);
});

test('what strangers say is not taken', async () => {
  const room = new Room();
  const a = await page(room);
  const stranger = room.socket();
  stranger.onmessage = () => {};
  for (const message of [
    {}, { type: 'offer' }, { call: '1c1s', type: 'join', from: 'x' }, { call: '1cs1cs', type: 'join', from: 5 },
    { call: '1cs1cs', type: 'answer', from: 'x', rsid: 'y', sdp: '' }, { call: '1cs1cs', type: 'bye', from: 'x', rsid: 'y' },
    { call: '1cs1cs', type: 'ice', from: 'x', sid: 'y', candidates: 5 }, { call: '1cs1cs', type: 'offer', from: 'x', to: 'z', sid: 's', sdp: '' },
  ]) stranger.send(message);
  for (let i = 0; i < 1000; i++) stranger.send({ call: '1cs1cs', type: 'here', from: `x${i}`, role: 'both' });
  await pass(1000);
  assert.equal(a.call.peers.size, 0);
  assert.ok(a.call.others.size <= 256);
});

test('a page says that it leaves while it still can, and begins anew where it stays', async () => {
  const room = new Room();
  const [a, b] = [await page(room), await page(room)];
  const unload = listeners.beforeunload; // of b
  a.call.start();
  await pass(500);
  connect(a, b);
  unload();
  b.signal.open = false; // Firefox: before pagehide
  listeners.pagehide();
  await pass(100);
  assert.deepEqual([a.call.peers.size, a.call.others.size], [0, 0]);
  b.signal.open = true;
  await pass(6_000);
  assert.equal(a.call.others.size, 1);
  negotiated(a.call, 1);
  negotiated(b.call, 1);
  assert.equal(one(a.call).sid, one(b.call).rsid);
});
