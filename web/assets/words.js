// What is happening, as a state for scripts and a sentence for people.

export const HOPELESS = 20_000; // ms of trouble after which it is said to have failed

// callState is ready, calling, connected or failed. now is in ms.
export function callState(call, now) {
  const peers = [...call.peers.values()];
  if (peers.some((peer) => peer.state === 'connected')) return 'connected';
  if (peers.length === 0) return call.calling ? 'calling' : 'ready';
  return peers.every((peer) => peer.troubleSince && now - peer.troubleSince > HOPELESS) ? 'failed' : 'calling';
}

// callWords is the sentence for a call in state: [key, values]. connected is
// whether the socket to the box is, direct whether it goes without the relay by
// choice, relayPort where a relay was asked for in vain, or ''.
export function callWords(call, state, { role, media, connected, direct, relayPort }) {
  const peers = [...call.peers.values()];
  const n = peers.filter((peer) => peer.state === 'connected').length;
  if (!connected) return [n ? 'status.socketless' : 'status.connecting', {}];
  if (state === 'failed') return direct ? ['status.failed.direct', {}] : failedWords(relayPort);
  if (state === 'connected') return [`status.connected.${role}`, { n }];
  if (peers.some((peer) => peer.wasConnected)) return ['status.restarting', {}];
  if (peers.length) return ['status.calling', {}];
  if (role === 'send' && !media) return ['status.nothing', {}];
  if (role !== 'both') return [`status.waiting.${role}`, {}];
  if (call.calling) return ['status.calling.nobody', {}];
  const others = [...call.others.values()].filter((other) => other.role === 'both').length;
  return others ? ['status.ready', { n: others }] : ['status.alone', {}];
}

// failedWords is the sentence for a call that has found no way, with the relay or
// without one, although it was asked for at port.
export function failedWords(port) {
  return port ? ['status.failed.relay', { port }] : ['status.failed', {}];
}
