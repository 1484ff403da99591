// How a call travels, from the statistics of its connection.

// selectedPath finds the candidate pair in use among stats, an RTCStatsReport or
// a Map. null: none yet. kind is relay, srflx, prflx or host, the farthest of the
// two ends; protocol is udp, tcp or tls, to the relay where this end has one; near:
// both ends have addresses of one local network; rtt is in seconds; bytes is both
// ways, since the pair is in use.
export function selectedPath(stats) {
  const pair = selectedPair(stats);
  const local = pair && stats.get(pair.localCandidateId);
  const remote = pair && stats.get(pair.remoteCandidateId);
  if (!local || !remote) return null;
  const ends = [local.candidateType, remote.candidateType];
  return {
    kind: ['relay', 'srflx', 'prflx', 'host'].find((kind) => ends.includes(kind)) ?? 'host',
    local: local.candidateType,
    remote: remote.candidateType,
    protocol: (local.candidateType === 'relay' && local.relayProtocol) || local.protocol || 'udp',
    near: isNear(local) && isNear(remote),
    rtt: pair.currentRoundTripTime,
    bytes: (pair.bytesSent ?? 0) + (pair.bytesReceived ?? 0),
    at: pair.timestamp,
  };
}

// Private and link-local addresses (RFC 1918, 3927, 4193, 4291), and the names that
// browsers hide addresses behind, which are asked for in the local network alone.
const NEAR = /^(10|192\.168|172\.(1[6-9]|2\d|3[01])|169\.254)\.|^(f[cd]..|fe[89ab].):|\.local$/i;

// isNear goes by the address of a candidate. Chromium leaves out those that are hidden.
function isNear({ address, ip = '' }) {
  return !(address ?? ip) || NEAR.test(address ?? ip);
}

// selectedPair goes by the transport; Firefox has no such entry and marks the
// pair itself.
function selectedPair(stats) {
  const all = [...stats.values()];
  for (const { type, selectedCandidatePairId } of all) {
    if (type === 'transport' && selectedCandidatePairId) return stats.get(selectedCandidatePairId);
  }
  const pairs = all.filter(({ type }) => type === 'candidate-pair');
  return pairs.find((p) => p.selected) ?? pairs.find((p) => p.nominated && p.state === 'succeeded');
}

// rate is the bits a second between two looks at one path, or undefined.
export function rate(before, now) {
  if (!before || !now || now.at <= before.at || now.bytes < before.bytes) return undefined;
  return ((now.bytes - before.bytes) * 8_000) / (now.at - before.at);
}

// pathWords is the sentence key for a path, and what to fill in.
export function pathWords(path) {
  const direct = path.near ? 'path.near' : 'path.host';
  const key = { relay: 'path.relay', srflx: 'path.nat', prflx: 'path.nat' }[path.kind] ?? direct;
  return { key, values: { protocol: path.protocol.toUpperCase() } };
}

// figures are delay and bandwidth for people: "23 ms · 1.2 Mbit/s".
export function figures(path, bits) {
  const parts = [];
  if (path.rtt !== undefined) parts.push(`${Math.max(1, Math.round(path.rtt * 1000))} ms`);
  if (bits >= 950_000) parts.push(`${(bits / 1e6).toFixed(1)} Mbit/s`);
  else if (bits !== undefined) parts.push(`${Math.round(bits / 1e3)} kbit/s`);
  return parts.join(' · ');
}
