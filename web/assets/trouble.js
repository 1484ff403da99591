// Why the socket was lost, as the key of a sentence.

const BY_CODE = { 1001: 'socket.restart', 3008: 'socket.slow', 4429: 'socket.busy' };

// socketProblem asks the box by another way when the socket has never opened: a
// page that loads beside a socket that does not is what a certificate that was
// clicked through looks like on an iPhone, and elsewhere something in between. base
// is the address of the box.
export async function socketProblem({ code, opened }, base = './') {
  if (BY_CODE[code]) return BY_CODE[code];
  if (opened) return 'socket.lost';
  try {
    await fetch(`${base}healthz`, { cache: 'no-store', credentials: 'omit' });
  } catch {
    return 'problem.unreachable';
  }
  return location.protocol === 'https:' && isApplePhone() ? 'socket.certificate' : 'socket.blocked';
}

// isApplePhone goes by what an iPad says too: that it is a Mac, which has no touch screen.
function isApplePhone() {
  const { userAgent, maxTouchPoints } = navigator;
  return /iPhone|iPad|iPod/.test(userAgent) || (/Macintosh/.test(userAgent) && maxTouchPoints > 1);
}
