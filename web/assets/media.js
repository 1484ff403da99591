// Camera, microphone and screen.

const CAMERA = { width: { ideal: 1280 }, height: { ideal: 720 } };

// openCamera asks for camera and microphone, and takes one alone where the other
// can't be had. which is the camera, in constraints. It gives {media, lack}: lack is
// the error to be told of one that is there and did not open, or null.
export async function openCamera(which = { facingMode: 'user' }) {
  const devices = mediaDevices();
  const wanted = { video: { ...CAMERA, ...which }, audio: true };
  try {
    return { media: await devices.getUserMedia(wanted), lack: null };
  } catch (error) {
    const media = await openOne(devices, wanted);
    if (!media) throw error;
    return { media, lack: error.name === 'NotFoundError' ? null : error };
  }
}

async function openOne(devices, { video, audio }) {
  for (const one of [{ audio }, { video }]) {
    try {
      return await devices.getUserMedia(one);
    } catch {
      // what is wrong with both is said
    }
  }
  return null;
}

// canShareScreen is false on phones. Firefox for Android has the function, which always
// refuses.
export function canShareScreen() {
  return Boolean(navigator.mediaDevices?.getDisplayMedia) && !/Android/.test(navigator.userAgent);
}

// openScreen must be called from a click. Where a screen can't be shared it is
// the camera at the back. It gives {media, lack} like openCamera.
export async function openScreen() {
  if (!canShareScreen()) return openCamera({ facingMode: 'environment' });
  return { media: await mediaDevices().getDisplayMedia({ video: true, audio: true }), lack: null };
}

// openPicture is the screen without its sound, also from a click only.
export async function openPicture() {
  return mediaDevices().getDisplayMedia({ video: true });
}

// hasTwoCameras says whether there is another one to turn to.
export async function hasTwoCameras() {
  return (await cameras()).length > 1;
}

// sameCamera and otherCamera are for openCamera: the one that media is of, and the
// one to turn to from there. A phone knows which side a camera is on; elsewhere it is
// the next of the list.
export function sameCamera(media) {
  const { deviceId } = settings(media);
  return deviceId ? { deviceId: { exact: deviceId } } : { facingMode: 'user' };
}

export async function otherCamera(media) {
  const { facingMode, deviceId } = settings(media);
  if (facingMode) return { facingMode: facingMode === 'user' ? 'environment' : 'user' };
  const all = await cameras();
  const at = all.findIndex((camera) => camera.deviceId === deviceId);
  return { deviceId: { exact: all[(at + 1) % all.length].deviceId } };
}

// facesAway says whether the picture is of what the person sees, and no mirror.
export function facesAway(media) {
  return settings(media).facingMode === 'environment';
}

function settings(media) {
  return media?.getVideoTracks()[0]?.getSettings() ?? {};
}

async function cameras() {
  const all = (await navigator.mediaDevices?.enumerateDevices?.()) ?? [];
  return all.filter(({ kind }) => kind === 'videoinput');
}

// keepOff turns off in media what is off in before, which it takes the place of.
export function keepOff(media, before) {
  for (const track of media.getTracks()) if (isOff(before, track.kind)) track.enabled = false;
}

// isOff says whether a track of this kind is there and turned off.
export function isOff(media, kind) {
  return Boolean(media?.getTracks().some((track) => track.kind === kind && !track.enabled));
}

// live is what of stream has not ended: stream itself where nothing has, null where
// all has.
export function live(stream) {
  const all = stream?.getTracks() ?? [];
  const tracks = all.filter(({ readyState }) => readyState !== 'ended');
  if (tracks.length === 0) return null;
  return tracks.length < all.length ? new MediaStream(tracks) : stream;
}

export function stop(stream) {
  for (const track of stream?.getTracks() ?? []) track.stop();
}

// mediaProblem is the sentence key for an error of the above.
export function mediaProblem(error, screen = false) {
  switch (error.name) {
    case 'InsecureContext':
      return 'problem.insecure';
    case 'NotAllowedError':
    case 'SecurityError':
      return screen ? 'problem.screen' : 'problem.denied';
    case 'NotFoundError':
      return screen ? 'problem.noscreen' : 'problem.nocamera';
    case 'NotReadableError':
    case 'AbortError':
      return 'problem.busy';
  }
  return 'problem.media';
}

function mediaDevices() {
  if (navigator.mediaDevices) return navigator.mediaDevices;
  const error = new Error('no mediaDevices: the page is not a secure context');
  error.name = 'InsecureContext';
  throw error;
}
