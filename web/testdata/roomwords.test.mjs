import assert from 'node:assert/strict';
import test from 'node:test';
import { reasonWords, roomState, roomWords } from './assets/roomwords.js';

const peers = (...states) => states.map((state, i) => ({ id: `p${i}`, state }));
const since = new Map([['p0', 0], ['p1', 0]]);
const facts = (fields) => ({
  entered: true, inside: true, open: true, opening: false, sending: true, peers: [], since, now: 1_000, ...fields,
});

// said is the state and the sentence.
function said(fields) {
  const all = facts(fields);
  const state = roomState(all);
  return [state, roomWords(state, all)[0]];
}

test('what is happening has its sentence', () => {
  assert.deepEqual(said({ entered: false, open: false }), ['idle', 'status.connecting']);
  assert.deepEqual(said({ opening: true }), ['ready', 'status.camera']);
  assert.deepEqual(said({}), ['ready', 'room.alone']);
  assert.deepEqual(said({ peers: peers('new', 'connecting') }), ['calling', 'room.calling']);
  assert.deepEqual(said({ peers: peers('new', 'connected') }), ['connected', 'room.connected']);
  assert.deepEqual(said({ peers: peers('connected'), sending: false }), ['connected', 'room.watching']);
  assert.deepEqual(said({ peers: peers('connected'), open: false }), ['connected', 'status.socketless']);
  assert.deepEqual(said({ peers: peers('failed'), open: false }), ['calling', 'status.connecting']);
  assert.deepEqual(said({ peers: peers('failed', 'new'), now: 20_001 }), ['failed', 'status.failed']);
  assert.deepEqual(said({ peers: peers('failed'), now: 20_001, relayPort: '3478' }), ['failed', 'status.failed.relay']);
  assert.deepEqual(said({ peers: peers('failed', 'connected'), now: 20_001 }), ['connected', 'room.connected']);
  assert.deepEqual(said({ inside: false, open: false }), ['idle', 'room.outside']);
});

test('a sentence about many counts those that are connected', () => {
  assert.deepEqual(roomWords('connected', facts({ peers: peers('connected', 'failed') })), ['room.connected', { n: 1 }]);
});

test('reasons of rooms have sentences of their own', () => {
  for (const reason of ['invite-missing', 'invite-invalid', 'invite-expired', 'invite-foreign', 'room-full', 'rate-limited', 'taken-over']) {
    assert.ok(reasonWords(reason), reason);
  }
  assert.equal(reasonWords(''), undefined);
  assert.equal(reasonWords('too-slow'), undefined);
});
