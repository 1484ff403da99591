import assert from 'node:assert/strict';
import test from 'node:test';
import * as clock from './clock.mjs';
import { FakePC } from './fakes.mjs';

clock.install();
const listeners = {};
globalThis.addEventListener = (name, listener) => { listeners[name] = listener; };
globalThis.removeEventListener = (name) => { delete listeners[name]; };
globalThis.document = { hidden: false, addEventListener, removeEventListener };

// A stream knows its tracks, and a connection asks for a negotiation.
globalThis.MediaStream = class {
  #tracks = [];
  addTrack(track) { this.#tracks.push(track); }
  getTracks() { return this.#tracks; }
};
const connections = [];
globalThis.RTCPeerConnection = class extends FakePC {
  #transceivers = [];
  constructor(config) {
    super();
    this.config = config;
    connections.push(this);
  }
  addTransceiver(what, { direction }) {
    const track = typeof what === 'string' ? null : what;
    this.#transceivers.push(transceiver(track?.kind ?? what, direction, track));
    this.#need();
  }
  getTransceivers() { return this.#transceivers; }
  restartIce() {
    super.restartIce();
    this.#need();
  }
  async setRemoteDescription(description) {
    await super.setRemoteDescription(description);
    if (this.#transceivers.length) return;
    this.#transceivers.push(transceiver('audio', 'recvonly'), transceiver('video', 'recvonly'));
  }
  #need() { queueMicrotask(() => this.onnegotiationneeded()); }
};

function transceiver(kind, direction, track = null) {
  const sender = { track, replaceTrack: async (other) => { sender.track = other; } };
  return { direction, sender, receiver: { track: { kind } } };
}

const sockets = [];
globalThis.WebSocket = class {
  sent = [];
  closed = 0;
  constructor(url) {
    this.url = url;
    sockets.push(this);
  }
  send(text) {
    const m = JSON.parse(text);
    this.sent.push(m);
    if (this.alive && m.type === 'client-echo') queueMicrotask(() => this.say({ from: m.to, ...m }));
  }
  close(code) { this.closed = code; }
  say(...messages) { for (const m of messages) this.onmessage({ data: JSON.stringify(m) }); }
  end(code, reason = '') { this.onclose({ code, reason }); }
};
const { Call, Room } = await import('./assets/client.js');

const BASE = 'https://home.example:3002/call/';
const welcome = (fields = {}) => ({
  type: 'welcome', id: 'B', room: 'r', peers: [], iceServers: ['first'], ttl: 60, resume: 'secret', resumed: false, received: 0, ...fields,
});
const last = () => sockets.at(-1);

let before = null;

// enter makes a room, ends the one before it, and connects. told has what its
// events say.
function enter(prepare = () => {}) {
  before?.close();
  sockets.length = connections.length = 0;
  const room = before = new Room('r', { invite: 'token', base: BASE });
  const told = [];
  for (const name of ['welcome', 'peer-joined', 'peer-left', 'reconnecting', 'resumed', 'lost', 'refused', 'closed']) {
    room.on(name, ({ id, code, reason, peers }) => told.push([name, id ?? code, reason || peers].filter((x) => x !== undefined).flat().join(' ')));
  }
  room.on('message', ({ type, from }) => told.push(`${type} from ${from}`));
  prepare(room);
  room.connect();
  return { room, told };
}

// pass lets ms pass in small steps.
async function pass(ms) {
  for (let i = 0; i < ms; i += 100) {
    clock.tick(100);
    await clock.settle();
  }
}

test('a room is entered with its invite, beside the path of the box', () => {
  const { room, told } = enter();
  assert.equal(last().url, 'wss://home.example:3002/call/ws/r?invite=token');
  assert.equal(room.send({ type: 'early' }), false);
  last().say(welcome({ peers: ['A'] }), { seq: 1, type: 'peer-joined', id: 'C' }, { seq: 2, type: 'peer-left', id: 'A' });
  assert.deepEqual(told, ['welcome B A', 'peer-joined C', 'peer-left A']);
  assert.deepEqual([...room.peers], ['C']);
  assert.equal(room.send({ type: 'hello' }, 'C'), true);
  assert.deepEqual(last().sent, [{ type: 'hello', to: 'C' }]);
  room.close();
  assert.equal(last().closed, 1000);
  assert.equal(told.at(-1), 'closed 1000');
  clock.tick(100_000);
  assert.equal(sockets.length, 1);
});

test('who comes back sends again what was not taken, and hears what it missed once', () => {
  const { room, told } = enter();
  last().say(welcome({ peers: ['A'] }), { seq: 1, from: 'A', type: 'one' });
  for (const type of ['a', 'b', 'c']) room.send({ type });
  last().end(1006);
  room.send({ type: 'd' });
  clock.tick(500);
  assert.equal(last().url, 'wss://home.example:3002/call/ws/r?resume=secret&seq=1');
  last().say(welcome({ resumed: true, received: 2, peers: ['C'] }));
  assert.deepEqual(last().sent.map(({ type }) => type), ['c', 'd']);
  last().say({ seq: 2, type: 'peer-joined', id: 'C' }, { seq: 3, from: 'A', type: 'two' }, { seq: 4, type: 'peer-left', id: 'A' });
  assert.deepEqual(told, ['welcome B A', 'one from A', 'reconnecting 1006', 'resumed B A', 'peer-joined C', 'two from A', 'peer-left A']);
  room.send({ type: 'e' });
  last().end(3008, 'too-slow');
  clock.tick(1000);
  assert.match(last().url, /resume=secret&seq=4$/);
  last().say(welcome({ resumed: true, received: 5 }));
  assert.deepEqual(last().sent, []);
});

test('who is too late enters as a new peer, and what waited is gone', () => {
  const { room, told } = enter();
  last().say(welcome({ peers: ['A'] }), { seq: 9, type: 'peer-joined', id: 'C' });
  room.send({ type: 'a' });
  last().end(1006);
  clock.tick(500);
  last().say({ type: 'error', code: 'resume-lost', message: '' });
  last().end(4404, 'resume-lost');
  clock.tick(1);
  assert.match(last().url, /invite=token$/);
  last().say(welcome({ id: 'D', peers: ['A'], resume: 'other' }));
  assert.deepEqual(told.slice(2), ['reconnecting 1006', 'reconnecting 4404 resume-lost', 'lost B', 'welcome D A']);
  room.send({ type: 'b' });
  assert.deepEqual(last().sent, [{ type: 'b' }]);
  last().end(1006);
  clock.tick(1000);
  assert.match(last().url, /resume=other&seq=0$/);
});

test('what trying again does not mend is the end', () => {
  for (const [code, reason] of [[4401, 'invite-missing'], [4401, 'invite-expired'], [4409, 'taken-over'], [1009, 'too-big']]) {
    const { told } = enter();
    last().say({ type: 'error', code: reason, message: 'words' });
    last().end(code, '');
    clock.tick(100_000);
    assert.equal(sockets.length, 1);
    assert.deepEqual(told, [`closed ${code} ${reason}`]);
  }
});

test('a full room is tried again, not at once', () => {
  const { told } = enter();
  last().end(4429, 'room-full');
  assert.deepEqual(told, ['reconnecting 4429 room-full']);
  clock.tick(4999);
  assert.equal(sockets.length, 1);
  clock.tick(1);
  assert.equal(sockets.length, 2);
});

test('tries come later each time, soon again after one that lasted', () => {
  enter();
  for (const wait of [500, 1000, 2000, 4000, 8000, 15_000, 15_000]) {
    const n = sockets.length;
    last().end(1006);
    clock.tick(wait / 2 - 1);
    assert.equal(sockets.length, n);
    clock.tick(wait / 2 + 1);
    assert.equal(sockets.length, n + 1);
  }
  last().say(welcome());
  clock.tick(5001);
  last().end(1006);
  const n = sockets.length;
  clock.tick(500);
  assert.equal(sockets.length, n + 1);
});

test('a connection that is dead without a word is found out', () => {
  const { told } = enter();
  last().say(welcome());
  clock.tick(15_000);
  assert.deepEqual(last().sent, [{ type: 'client-echo', n: 1, to: 'B' }]);
  last().say({ seq: 1, from: 'B', ...last().sent[0] });
  clock.tick(14_999);
  assert.equal(sockets.length, 1); // it lives
  clock.tick(8_001);
  assert.equal(sockets[0].closed, 4000);
  assert.deepEqual(told, ['welcome B', 'reconnecting 1006']);
  clock.tick(500);
  assert.match(last().url, /resume=secret&seq=1$/);
  sockets[0].end(4409, 'taken-over'); // an old one says nothing any more
  assert.equal(told.length, 2);
});

test('an attempt that was given up, and gets through late, is no end', () => {
  const { told } = enter();
  last().say(welcome());
  last().end(1006);
  clock.tick(500);
  listeners.online(); // the attempt of now is given up
  last().say(welcome({ resumed: true }));
  last().end(4409, 'taken-over');
  assert.deepEqual(told, ['welcome B', 'reconnecting 1006', 'reconnecting 1006', 'resumed B', 'reconnecting 4409 taken-over']);
  clock.tick(4_000);
  last().say(welcome({ resumed: true }));
  last().end(4409, 'taken-over'); // by somebody else, then
  assert.equal(told.at(-1), 'closed 4409 taken-over');
});

test('an echo that waits behind much has its time from when it leaves', () => {
  const { room } = enter();
  last().say(welcome());
  clock.tick(14_000);
  for (let i = 0; i < 1_000; i++) room.send({ type: 'x' });
  clock.tick(30_000); // 900 of them take 22.5 s
  assert.equal(sockets[0].closed, 0);
  assert.equal(last().sent.at(-1).type, 'client-echo');
  clock.tick(8_000);
  assert.equal(sockets[0].closed, 4000);
});

test('who closes a room when all is lost is out of it', () => {
  const { room, told } = enter((r) => r.on('lost', () => r.close()));
  last().say(welcome());
  last().end(4404, 'resume-lost');
  clock.tick(1);
  last().say(welcome({ id: 'D' }));
  assert.deepEqual(told, ['welcome B', 'reconnecting 4404 resume-lost', 'lost B', 'closed 1000']);
  assert.equal(room.open, false);
});

test('a name that no room can have is refused at once', () => {
  for (const name of ['', 'küche', 'a b', 'a/b', 'x'.repeat(65)]) assert.throws(() => new Room(name, { base: BASE }), TypeError);
});

test('an echo says what was taken', () => {
  const { room } = enter();
  last().say(welcome());
  room.send({ type: 'a' });
  clock.tick(15_000);
  last().say({ seq: 1, from: 'B', ...last().sent[1] });
  room.send({ type: 'b' });
  last().end(1006);
  clock.tick(500);
  last().say(welcome({ resumed: true, received: 0 })); // which can't be
  assert.deepEqual(last().sent.map(({ type }) => type), ['b']);
});

test('a network that is back is used at once', () => {
  enter();
  last().say(welcome());
  listeners.online();
  assert.equal(sockets.length, 2);
  last().end(1006);
  listeners.visibilitychange();
  assert.equal(sockets.length, 3);
  clock.tick(10_000); // no welcome
  assert.equal(sockets[2].closed, 4000);
});

test('much is sent no faster than the box takes it', () => {
  const { room } = enter();
  last().say(welcome());
  let taken = 0;
  for (let i = 0; i < 2_500; i++) taken += room.send({ type: 'x' }) ? 1 : 0;
  assert.equal(taken, 2_000);
  assert.equal(last().sent.length, 100);
  clock.tick(1_000);
  assert.ok(Math.abs(last().sent.length - 140) <= 1, `${last().sent.length}`);
});

test('a clock that is set back holds up nothing', async () => {
  const { pc, room } = await called('A');
  await pass(10_000);
  for (let i = 0; i < 200; i++) room.send({ type: 'x' });
  pc.become('disconnected');
  clock.setBack(3_600_000);
  const before = last().sent.length;
  await pass(5_000);
  assert.equal(pc.restarts, 1);
  assert.ok(last().sent.length > before + 100, `${last().sent.length - before} sent`);
});

test('a refusal is about one message, and no end', () => {
  const { told } = enter();
  last().say(welcome(), { type: 'error', code: 'unknown-peer', message: '', received: 1 });
  assert.deepEqual(told, ['welcome B', 'refused unknown-peer']);
});

// called is a call in which the other, by the id of A or Z, has sent an offer.
async function called(other, media = null) {
  let call;
  const { room } = enter((r) => { call = new Call(r, { media, config: { iceTransportPolicy: 'relay' } }); });
  last().alive = true;
  last().say(welcome({ peers: [other] }), { seq: 1, from: other, type: 'offer', sdp: 'o' });
  await clock.settle();
  return { room, call, peer: call.peers.get(other), pc: connections[0] };
}

const types = () => last().sent.map(({ type }) => type).filter((type) => type !== 'client-echo');

test('who was there first calls, with what is sent or without', async () => {
  const tracks = [{ kind: 'audio' }];
  let call;
  enter((r) => { call = new Call(r, { media: { getTracks: () => tracks } }); });
  last().say(welcome(), { seq: 1, type: 'peer-joined', id: 'C' });
  await clock.settle();
  assert.deepEqual(last().sent, [{ type: 'offer', sdp: 'offer 0', round: 1, to: 'C' }]);
  const [audio, video] = connections[0].getTransceivers();
  assert.deepEqual([audio.sender.track, video.sender.track], [tracks[0], null]);
  tracks.push({ kind: 'video' });
  call.setMedia({ getTracks: () => tracks });
  await clock.settle();
  assert.equal(video.sender.track, tracks[1]);
  call.setMedia(null);
  await clock.settle();
  assert.deepEqual([audio.sender.track, video.sender.track], [null, null]);
  assert.equal(types().length, 1); // none of it needed an offer
});

test('who is called answers with both ways open', async () => {
  const tracks = [{ kind: 'audio' }, { kind: 'video' }];
  const { pc } = await called('A', { getTracks: () => tracks });
  assert.deepEqual(types(), ['answer']);
  assert.deepEqual(pc.config, { iceTransportPolicy: 'relay', iceServers: ['first'] });
  assert.deepEqual(pc.getTransceivers().map(({ direction, sender }) => [direction, sender.track]), tracks.map((track) => ['sendrecv', track]));
});

test('video is in the stream from its first picture on, sound at once', async () => {
  const { call, peer, pc } = await called('A');
  const changes = [];
  call.on('change', ({ stream }) => changes.push(stream.getTracks().map(({ kind }) => kind).join()));
  const video = { kind: 'video', muted: true };
  pc.ontrack({ track: video });
  assert.equal(peer.stream, null);
  pc.ontrack({ track: { kind: 'audio', muted: true } });
  const { stream } = peer;
  video.muted = false;
  video.onunmute();
  assert.deepEqual(changes, ['audio', 'audio,video']);
  assert.equal(peer.stream, stream);
});

test('candidates wait for the description, and go out together', async () => {
  let call;
  enter((r) => { call = new Call(r); });
  last().say(welcome(), { seq: 1, type: 'peer-joined', id: 'C' }, { seq: 2, from: 'C', type: 'candidates', candidates: [1, 2] });
  await clock.settle();
  const pc = connections[0];
  assert.deepEqual(pc.candidates, []);
  last().say({ seq: 3, from: 'C', type: 'answer', sdp: 'a' }, { seq: 4, from: 'C', type: 'candidates', candidates: [3] });
  await clock.settle();
  assert.deepEqual(pc.candidates, [1, 2, 3]);
  pc.gather('x');
  pc.gather('y');
  clock.tick(50);
  assert.deepEqual(last().sent.at(-1), { type: 'candidates', candidates: [{ candidate: 'x' }, { candidate: 'y' }], to: 'C' });
  assert.equal(call.peers.size, 1);
});

test('where two offers meet, the smaller id gives way', async () => {
  for (const [other, gives] of [['Z', true], ['A', false]]) { // we are B
    const { pc } = await called(other);
    pc.restartIce();
    await clock.settle();
    assert.equal(pc.signalingState, 'have-local-offer');
    last().say({ seq: 2, from: other, type: 'offer', sdp: 'o2' });
    await clock.settle();
    assert.equal(pc.signalingState, gives ? 'stable' : 'have-local-offer');
    assert.deepEqual(types(), gives ? ['answer', 'offer', 'answer'] : ['answer', 'offer']);
  }
});

test('a broken connection is restarted, when the room is there', async () => {
  const { pc } = await called('A'); // A is polite, so we are first
  pc.become('connected');
  await pass(60_000);
  assert.equal(pc.restarts, 0);
  pc.become('disconnected');
  await pass(3_000);
  assert.equal(pc.restarts, 0); // mostly it comes back by itself
  await pass(2_500);
  assert.equal(pc.restarts, 1);
  last().say({ seq: 5, from: 'A', type: 'answer', sdp: 'a' });
  await clock.settle();
  pc.become('connected');

  last().end(1006);
  pc.become('disconnected');
  clock.tick(400); // the socket is tried again, and answers late
  await pass(9_000);
  assert.equal(pc.restarts, 1);
  last().say(welcome({ resumed: true, received: 99, iceServers: ['second'] }));
  await pass(1_100);
  assert.equal(pc.restarts, 2);
  assert.deepEqual(pc.config.iceServers, ['second']);
});

test('a room is looked after when a connection in it breaks', async () => {
  const { pc } = await called('A');
  pc.become('connected');
  await pass(1_000);
  last().alive = false;
  pc.become('disconnected');
  await pass(7_900);
  assert.equal(sockets[0].closed, 0);
  await pass(200);
  assert.equal(sockets[0].closed, 4000);
});

test('a connection that had worked and has failed is made anew', async () => {
  const { call, peer, pc } = await called('A'); // who gives way
  const count = connections.length;
  pc.become('failed');
  await pass(30_000);
  assert.equal(connections.length, count); // it never was: there may be no way
  pc.become('connected');
  pc.become('failed');
  await pass(1_100);
  assert.equal(connections.length, count + 1);
  assert.notEqual(call.peers.get('A'), peer);
  assert.deepEqual([last().sent.at(-1).type, last().sent.at(-1).generation], ['offer', 1]);
  last().say({ seq: 9, from: 'A', type: 'answer', sdp: 'late', round: 1 }); // to one before
  last().say({ seq: 10, from: 'A', type: 'offer', sdp: 'at the same time', round: 1, generation: 1 });
  await clock.settle();
  assert.equal(connections.length, count + 1);
  assert.equal(connections.at(-1).remoteDescription, null);
  last().say({ seq: 11, from: 'A', type: 'answer', sdp: 'a', round: 1, generation: 1 });
  await clock.settle();
  assert.equal(connections.at(-1).remoteDescription.sdp, 'a');
});

test('who gives way takes the offer of the other for his own', async () => {
  const { pc } = await called('Z');
  pc.become('connected');
  pc.become('failed');
  await pass(2_900);
  assert.deepEqual(types(), ['answer']);
  await pass(1_200);
  assert.deepEqual(types(), ['answer', 'offer']);
  assert.equal(connections.length, 2);
  last().say({ seq: 9, from: 'Z', type: 'offer', sdp: 'o1', round: 1, generation: 1 });
  await clock.settle();
  assert.equal(connections.length, 3);
  assert.deepEqual([last().sent.at(-1).type, last().sent.at(-1).generation], ['answer', 1]);
  last().say({ seq: 10, from: 'Z', type: 'offer', sdp: 'o1', round: 1, generation: 1 }); // again
  await clock.settle();
  assert.equal(connections.length, 3);
  last().say({ seq: 11, from: 'Z', type: 'offer', sdp: 'o2', round: 1, generation: 2 });
  await clock.settle();
  assert.equal(connections.length, 4);
});

test('who gives way does so too while the own offer is being made', async (t) => {
  const { pc } = await called('Z');
  const set = FakePC.prototype.setLocalDescription;
  t.after(() => { FakePC.prototype.setLocalDescription = set; });
  let made;
  const making = new Promise((resolve) => { made = resolve; });
  FakePC.prototype.setLocalDescription = async function () {
    await making;
    return set.call(this);
  };
  pc.become('connected');
  pc.become('failed');
  await pass(4_100);
  assert.equal(connections.length, 2);
  last().say({ seq: 9, from: 'Z', type: 'offer', sdp: 'o1', round: 1, generation: 1 });
  made();
  await clock.settle();
  assert.equal(connections.length, 3);
  assert.deepEqual([last().sent.at(-1).type, last().sent.at(-1).generation], ['answer', 1]);
});

test('an offer without an answer is said again, the same', async () => {
  let call;
  enter((r) => { call = new Call(r); });
  last().alive = true;
  last().say(welcome(), { seq: 1, type: 'peer-joined', id: 'A' });
  await pass(9_000);
  assert.deepEqual(types(), ['offer']);
  await pass(2_000);
  await pass(17_000);
  assert.equal(types().length, 2); // the next one takes longer
  await pass(5_000);
  const offers = last().sent.filter(({ type }) => type === 'offer');
  assert.deepEqual(offers, [offers[0], offers[0], offers[0]]);
  const { pc } = call.peers.get('A');
  last().say({ seq: 2, from: 'A', type: 'answer', sdp: 'a', round: 7 });
  await clock.settle();
  assert.equal(pc.signalingState, 'have-local-offer'); // it was about another one
  last().say({ seq: 3, from: 'A', type: 'answer', sdp: 'a', round: offers[0].round });
  await pass(30_000);
  assert.equal(types().length, 3);
  assert.equal(pc.signalingState, 'stable');
});

test('an offer that comes again gets the same answer, whatever came since', async () => {
  const { pc } = await called('A');
  last().say({ seq: 2, from: 'A', type: 'offer', sdp: 'second', round: 2 });
  await clock.settle();
  const answer = last().sent.at(-1);
  assert.deepEqual([answer.type, answer.round], ['answer', 2]);
  pc.restartIce();
  await clock.settle();
  assert.deepEqual(types(), ['answer', 'answer', 'offer']);
  last().say({ seq: 3, from: 'A', type: 'offer', sdp: 'second', round: 2 });
  await clock.settle();
  assert.deepEqual(last().sent.at(-1), answer);
  assert.equal(pc.signalingState, 'have-local-offer');
});

test('one bad candidate keeps none of the others back', async () => {
  const { pc } = await called('A');
  const { warn } = console;
  console.warn = () => {};
  const add = pc.addIceCandidate.bind(pc);
  pc.addIceCandidate = async (candidate) => {
    if (candidate === 'old') throw new Error('unknown ufrag');
    return add(candidate);
  };
  last().say({ seq: 2, from: 'A', type: 'candidates', candidates: ['old', 'host', 'srflx'] });
  await clock.settle();
  console.warn = warn;
  assert.deepEqual(pc.candidates, ['host', 'srflx']);
});

test('candidates of who has left are no reason to complain', async () => {
  const { peer, pc } = await called('A');
  const { warn } = console;
  const said = [];
  console.warn = (...words) => said.push(words);
  pc.addIceCandidate = async () => { throw new Error(pc.signalingState); };
  peer.receive({ type: 'candidates', candidates: ['bad'] });
  await clock.settle();
  assert.equal(said.length, 1);
  peer.receive({ type: 'candidates', candidates: ['a', 'b'] });
  last().say({ seq: 2, type: 'peer-left', id: 'A' });
  await clock.settle();
  console.warn = warn;
  assert.equal(said.length, 1);
});

test('a call that was closed stays closed while the room goes on', async () => {
  const { call } = await called('A');
  const made = connections.length;
  call.close();
  last().say({ seq: 2, type: 'peer-joined', id: 'C' }, { seq: 3, from: 'C', type: 'offer', sdp: 'o' });
  await clock.settle();
  assert.equal(call.peers.size, 0);
  assert.equal(connections.length, made);
});

test('another address of the box restarts everything, once', async () => {
  for (const [other, waits] of [['A', 0], ['Z', 2_900]]) {
    const { pc } = await called(other);
    pc.become('connected');
    last().say({ seq: 2, type: 'ice-servers', iceServers: ['new'], ttl: 9, restart: false });
    await pass(10_000);
    assert.equal(pc.restarts, 0);
    assert.deepEqual(pc.config.iceServers, ['new']);
    last().say({ seq: 3, type: 'ice-servers', iceServers: ['newer'], ttl: 9, restart: true });
    await pass(waits);
    assert.equal(pc.restarts, 0);
    await pass(1_200);
    assert.equal(pc.restarts, 1);
    await pass(10_000);
    assert.equal(pc.restarts, 1);
  }
  const { pc } = await called('Z'); // the other side was first: no second one
  pc.become('connected');
  last().say({ seq: 2, type: 'ice-servers', iceServers: [], ttl: 9, restart: true }, { seq: 3, from: 'Z', type: 'offer', sdp: 'o2' });
  await pass(10_000);
  assert.equal(pc.restarts, 0);
});

test('a new id makes all connections anew', async () => {
  const { call, peer, pc } = await called('A');
  const left = [];
  call.on('left', ({ id }) => left.push(id));
  pc.become('connected');
  last().end(1001, 'shutting-down');
  clock.tick(500);
  assert.match(last().url, /invite=token$/);
  assert.equal(pc.signalingState, 'stable'); // it goes on until then
  last().say(welcome({ id: 'D', peers: ['F'] }));
  assert.equal(pc.signalingState, 'closed');
  assert.deepEqual(left, ['A']);
  assert.deepEqual([...call.peers.keys()], ['F']);
  assert.notEqual(call.peers.get('F'), peer);
});

test('what strangers send breaks nothing', async () => {
  const warn = console.warn;
  console.warn = () => {};
  const { call, pc } = await called('A');
  for (const m of [{ type: 'offer', sdp: 5 }, { type: 'candidates' }, { type: 'candidates', candidates: 5 }, { type: 'toString' }]) {
    last().say({ seq: 2, from: 'A', ...m }, { seq: 3, from: 'nobody', ...m });
  }
  await clock.settle();
  last().say({ seq: 4, from: 'A', type: 'candidates', candidates: [7] });
  await clock.settle();
  console.warn = warn;
  assert.deepEqual(pc.candidates, [7]);
  assert.equal(call.peers.size, 1);
});
