// The small buttons of a call: microphone, camera, the other camera, full screen.

import { hasTwoCameras, isOff, openCamera, stop } from './media.js';
import { element, show } from './view.js';

export class Controls {
  onflip = async () => {}; // (open, facing): another camera is to be opened and sent

  #media = null;
  #facing = 'user';

  constructor() {
    element('mic').addEventListener('click', () => this.#toggle('mic', 'audio'));
    element('camera').addEventListener('click', () => this.#toggle('camera', 'video'));
    element('flip').addEventListener('click', () => this.#flip());
    element('full').addEventListener('click', () => fullScreen());
  }

  // remotes is how many videos of others are shown.
  remotes(n) {
    const can = document.fullscreenEnabled || 'webkitEnterFullscreen' in element('remote_H');
    show(can && n > 0, 'full');
  }

  // media is what is sent now, null for nothing; screen: not from a camera.
  async media(media, screen = false, facing = 'user') {
    this.#media = media;
    this.#facing = facing;
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
    const was = this.#media;
    const facing = this.#facing === 'user' ? 'environment' : 'user';
    element('flip').disabled = true;
    stop(was);
    try {
      await this.onflip(async () => {
        const opened = await openCamera(facing);
        if (!opened.lack) return opened;
        stop(opened.media);
        return openCamera(this.#facing);
      }, facing);
    } finally {
      element('flip').disabled = false;
    }
  }
}

function fullScreen() {
  if (document.fullscreenElement) return document.exitFullscreen();
  if (document.fullscreenEnabled) return element('stage').requestFullscreen();
  return element('remote_H').webkitEnterFullscreen();
}
