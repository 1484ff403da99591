// Camera, microphone and screen.

const CAMERA = { width: { ideal: 1280 }, height: { ideal: 720 } };

// openCamera asks for camera and microphone, and takes one alone where a machine
// has no other. facing is user or environment. The error is the browser's.
export async function openCamera(facing = 'user') {
  const devices = mediaDevices();
  const video = { ...CAMERA, facingMode: facing };
  try {
    return await devices.getUserMedia({ video, audio: true });
  } catch (error) {
    if (error.name !== 'NotFoundError') throw error;
    for (const one of [{ video }, { audio: true }]) {
      try {
        return await devices.getUserMedia(one);
      } catch (other) {
        if (other.name !== 'NotFoundError') throw other;
      }
    }
    throw error;
  }
}

// canShareScreen is false on phones.
export function canShareScreen() {
  return Boolean(navigator.mediaDevices?.getDisplayMedia);
}

// openScreen must be called from a click. Where a screen can't be shared it is
// the camera at the back.
export async function openScreen() {
  if (!canShareScreen()) return openCamera('environment');
  return mediaDevices().getDisplayMedia({ video: true, audio: true });
}

// openPicture is the screen without its sound, also from a click only.
export async function openPicture() {
  return mediaDevices().getDisplayMedia({ video: true });
}

// hasTwoCameras says whether there is another one to turn to.
export async function hasTwoCameras() {
  const all = (await navigator.mediaDevices?.enumerateDevices?.()) ?? [];
  return all.filter(({ kind }) => kind === 'videoinput').length > 1;
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
    case 'OverconstrainedError':
      return 'problem.nocamera';
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
