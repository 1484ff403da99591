// The room that a page meets in, and the links into it. The name stands in the
// fragment of the address, which browsers send to nobody.

const NAME = /^[A-Za-z0-9_-]{1,64}$/;

// randomId has 128 random bits in 22 letters that a room name may have.
export function randomId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return btoa(String.fromCharCode(...bytes)).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

// isRoomName says whether a room can be called that.
export function isRoomName(name) {
  return NAME.test(name);
}

// roomName is the name in the address, or a new one that is put there.
export function roomName() {
  const given = location.hash.slice(1);
  if (isRoomName(given)) return given;
  const name = randomId();
  history.replaceState(null, '', linkTo(location.href, name));
  return name;
}

// linkTo is the address of page, with name as its room; role null: any.
export function linkTo(page, name, role) {
  const url = new URL(page);
  if (role) url.searchParams.set('role', role);
  if (role === null) url.searchParams.delete('role');
  url.hash = name;
  return url.href;
}

// socketURL is the relay of room name, beside page.
export function socketURL(page, name) {
  const url = new URL(`seed/${name}`, page);
  url.protocol = url.protocol === 'http:' ? 'ws:' : 'wss:';
  url.search = '';
  url.hash = '';
  return url.href;
}
