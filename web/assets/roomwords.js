// What is happening in a room, as a state for scripts and a sentence for people.

import { failedWords, HOPELESS } from './words.js';

// Why a room was left, or is not entered yet, as the key of a sentence.
const REASONS = {
  'invite-missing': 'room.invite.missing',
  'invite-invalid': 'room.invite.invalid',
  'invite-expired': 'room.invite.expired',
  'invite-foreign': 'room.invite.foreign',
  'room-full': 'room.full',
  'rate-limited': 'room.fast',
  'taken-over': 'room.taken',
};

// reasonWords is the sentence for a reason that rooms alone have, or undefined.
export function reasonWords(reason) {
  return REASONS[reason];
}

// roomState is idle, ready, calling, connected or failed. now is in ms, since
// maps the id of a peer that is not connected to when that began.
export function roomState({ entered, inside, peers, since, now }) {
  if (!entered || !inside) return 'idle';
  if (peers.length === 0) return 'ready';
  if (peers.some(({ state }) => state === 'connected')) return 'connected';
  return peers.every(({ id }) => now - since.get(id) > HOPELESS) ? 'failed' : 'calling';
}

// roomWords is the sentence for it: [key, values]. open is whether the
// connection to the box is up, opening whether the browser asks for the camera,
// relayPort where a relay was asked for in vain, or ''.
export function roomWords(state, { inside, open, opening, sending, relayPort, peers }) {
  const n = peers.filter((peer) => peer.state === 'connected').length;
  if (!inside) return ['room.outside', {}];
  if (!open) return [n ? 'status.socketless' : 'status.connecting', {}];
  if (opening) return ['status.camera', {}];
  if (state === 'failed') return failedWords(relayPort);
  if (state === 'ready') return ['room.alone', {}];
  if (state === 'calling') return ['room.calling', {}];
  return [sending ? 'room.connected' : 'room.watching', { n }];
}
