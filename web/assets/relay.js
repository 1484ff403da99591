// Whether the box gives this browser its relay, and whether a call is to take no other way.

const answered = new WeakSet(); // connections that a TURN server has answered, be it with an error
const UNREACHED = 700; // and above: error codes for no answer (WebRTC 1.0, section 4.8.3)

// transportPolicy is an iceTransportPolicy: relay for a page with ?via=relay, to test the
// relay.
export function transportPolicy() {
  return new URLSearchParams(location.search).get('via') === 'relay' ? 'relay' : 'all';
}

// watchRelay has to be called before pc finds its candidates.
export function watchRelay(pc) {
  pc.addEventListener('icecandidate', ({ candidate }) => {
    if (/ typ relay( |$)/.test(candidate?.candidate)) answered.add(pc);
  });
  pc.addEventListener('icecandidateerror', ({ url, errorCode }) => {
    if (url?.startsWith('turn') && errorCode < UNREACHED) answered.add(pc);
  });
}

// missingRelay is the port of TURN where these connections know of a TURN server and
// none has got an answer of it, else ''. Ask when they have had the time for it.
export function missingRelay(pcs) {
  if (pcs.some((pc) => answered.has(pc))) return '';
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
