// Whether the box gives this browser its relay.

const relayed = new WeakSet(); // connections for which a relay candidate came

// watchRelay has to be called before pc finds its candidates.
export function watchRelay(pc) {
  pc.addEventListener('icecandidate', ({ candidate }) => {
    if (/ typ relay( |$)/.test(candidate?.candidate)) relayed.add(pc);
  });
}

// missingRelay is the port of TURN where these connections know of a TURN server and
// none has got a relay of it, else ''. Ask when they have had the time for it.
export function missingRelay(pcs) {
  if (pcs.some((pc) => relayed.has(pc))) return '';
  return turnPort(pcs.flatMap((pc) => pc.getConfiguration().iceServers ?? []));
}

// turnPort is the port of the first turn: URL of iceServers, or else turns: URL, '' where
// there is neither.
export function turnPort(servers) {
  const urls = servers.flatMap((server) => server.urls);
  const url = urls.find((u) => u.startsWith('turn:')) ?? urls.find((u) => u.startsWith('turns:'));
  if (!url) return '';
  return /:(\d+)(\?|$)/.exec(url)?.[1] ?? (url.startsWith('turn:') ? '3478' : '5349'); // RFC 7065, section 3.2
}
