// Starts the videos of others. Browsers want a tap before there is sound.

import { show } from './view.js';

// play starts video with sound, or without and with the button for it where the
// browser wants a tap first.
export async function play(video) {
  video.muted = false;
  try {
    await video.play();
  } catch (error) {
    if (error.name !== 'NotAllowedError') return; // replaced by another stream meanwhile
    video.muted = true;
    show(true, 'sound');
    video.play().catch(() => {});
  }
}

// unmute follows the tap.
export function unmute() {
  show(false, 'sound');
  for (const video of document.querySelectorAll('.remote video')) {
    video.muted = false;
    video.play().catch(() => {});
  }
}
