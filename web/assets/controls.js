// The small buttons of a call: microphone, camera, the other camera, full screen.

import { hasTwoCameras, isOff, openCamera, otherCamera, sameCamera, stop } from './media.js';
import { element, fullScreen, show } from './view.js';

export class Controls {
  onflip = async () => {}; // (open): another camera is to be opened and sent

  #media = null;

  constructor() {
    element('mic').addEventListener('click', () => this.#toggle('mic', 'audio'));
    element('camera').addEventListener('click', () => this.#toggle('camera', 'video'));
    element('flip').addEventListener('click', () => this.#flip());
    element('full').addEventListener('click', () => full());
  }

  // remotes is how many videos of others are shown.
  remotes(n) {
    const can = document.fullscreenEnabled || 'webkitEnterFullscreen' in element('remote_H');
    show(can && n > 0, 'full');
  }

  // media is what is sent now, null for nothing; screen: not from a camera.
  async media(media, screen = false) {
    this.#media = media;
    show(Boolean(media?.getAudioTracks().length), 'mic');
    show(Boolean(media?.getVideoTracks().length) && !screen, 'camera');
    for (const [id, kind] of [['mic', 'audio'], ['camera', 'video']]) {
      element(id).setAttribute('aria-pressed', String(isOff(media, kind)));
    }
    const two = await hasTwoCameras();
    show(this.#media === media && Boolean(media) && !screen && two, 'flip');
  }

  // #toggle turns the tracks of kind off or on. Pressed means off.
  #toggle(id, kind) {
    const off = element(id).getAttribute('aria-pressed') !== 'true';
    element(id).setAttribute('aria-pressed', String(off));
    for (const track of this.#media.getTracks()) if (track.kind === kind) track.enabled = !off;
  }

  // #flip closes the open camera first: a phone has one at a time.
  async #flip() {
    element('flip').disabled = true;
    try {
      const [same, other] = [sameCamera(this.#media), await otherCamera(this.#media)];
      stop(this.#media);
      await this.onflip(() => openEither(other, same));
    } finally {
      element('flip').disabled = false;
    }
  }
}

// openEither opens the one camera, or the other where that is not to be had.
async function openEither(one, other) {
  const opened = await openCamera(one).catch(() => null);
  if (opened?.media.getVideoTracks().length) return opened;
  stop(opened?.media);
  return openCamera(other);
}

// full is for an iPhone too, which shows nothing but a video on the whole screen.
function full() {
  if (document.fullscreenEnabled) fullScreen();
  else element('remote_H').webkitEnterFullscreen();
}
