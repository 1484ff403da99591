// What this page sends to a room: camera and microphone, or the screen in place
// of the camera.

import { keepOff, live, openCamera, openPicture, stop } from './media.js';

export class Sending {
  onchange = () => {}; // what is sent, or whether it is on, is another
  onended = () => {}; // camera or microphone have gone, were unplugged, say

  #camera = null; // with the microphone
  #screen = null;
  #stream = null; // of what is sent of the two
  #asking = false; // which screen

  // openCamera asks for camera and microphone. It gives the error to be told of one
  // that did not open, or null.
  async openCamera() {
    const { media, lack } = await openCamera();
    keepOff(media, this.#camera);
    stop(this.#camera);
    this.#camera = media;
    for (const track of media.getTracks()) track.addEventListener('ended', () => this.#ended(track));
    this.onchange();
    return lack;
  }

  // toggleScreen begins or ends to share the screen. It needs a click.
  async toggleScreen() {
    if (this.#screen) return this.#endScreen();
    if (this.#asking) return;
    this.#asking = true;
    try {
      this.#screen = await openPicture();
    } finally {
      this.#asking = false;
    }
    this.#screen.getVideoTracks()[0].addEventListener('ended', () => this.#endScreen());
    this.onchange();
  }

  // toggle turns the tracks of this kind of the camera off or on.
  toggle(kind) {
    for (const track of this.#of(kind)) track.enabled = !track.enabled;
    this.onchange();
  }

  // stream is what is sent now, null: nothing. It is the same one while its tracks are.
  stream() {
    const tracks = [...this.#of('audio'), ...this.#screen?.getVideoTracks() ?? this.#of('video')];
    const before = this.#stream?.getTracks() ?? [];
    if (tracks.length !== before.length || tracks.some((track) => !before.includes(track))) {
      this.#stream = tracks.length ? new MediaStream(tracks) : null;
    }
    return this.#stream;
  }

  // state is what there is, for the buttons, and what of it is on, for the others.
  state() {
    const on = (kind) => this.#of(kind).some(({ enabled }) => enabled);
    return {
      microphone: this.#of('audio').length > 0,
      camera: this.#of('video').length > 0,
      audio: on('audio'),
      video: Boolean(this.#screen) || on('video'),
      screen: Boolean(this.#screen),
    };
  }

  // end stops it all.
  end() {
    stop(this.#camera);
    stop(this.#screen);
    this.#camera = this.#screen = null;
    this.onchange();
  }

  #ended(track) {
    if (!this.#camera?.getTracks().includes(track)) return;
    this.onchange();
    this.onended();
  }

  #endScreen() {
    stop(this.#screen);
    this.#screen = null;
    this.onchange();
  }

  #of(kind) {
    return live(this.#camera)?.getTracks().filter((track) => track.kind === kind) ?? [];
  }
}
