// The buttons of a room.

import { canShareScreen } from './media.js';
import { element, fullScreen, show } from './view.js';

export class RoomButtons {
  // do has what each button does, by its id: mute, camera, screen, leave.
  constructor(actions) {
    for (const [id, act] of Object.entries(actions)) element(id).addEventListener('click', act);
    element('full').addEventListener('click', () => fullScreen());
  }

  // render shows those that there is a use for. state is that of Sending.
  render({ microphone, camera, audio, video, screen }, inside) {
    show(inside && microphone, 'mute');
    show(inside && camera && !screen, 'camera');
    show(inside && canShareScreen(), 'screen');
    show(inside, 'leave');
    show(inside && document.fullscreenEnabled, 'full');
    press('mute', !audio);
    press('camera', !video);
    press('screen', screen);
  }
}

function press(id, pressed) {
  element(id).setAttribute('aria-pressed', String(pressed));
}
