import assert from 'node:assert/strict';
import test from 'node:test';
import { canShareScreen, facesAway, openCamera, otherCamera, sameCamera } from './assets/media.js';
import { Sending } from './assets/sending.js';

globalThis.MediaStream = class {
  #tracks;
  constructor(tracks) { this.#tracks = tracks; }
  getTracks() { return this.#tracks; }
  getVideoTracks() { return this.#tracks.filter(({ kind }) => kind === 'video'); }
};

class Track extends EventTarget {
  enabled = true;
  readyState = 'live';
  constructor(kind) {
    super();
    this.kind = kind;
  }
  stop() { this.readyState = 'ended'; }
  unplug() {
    this.readyState = 'ended';
    this.dispatchEvent(new Event('ended'));
  }
}

// machine lets camera and microphone fail with these errors, or open.
const problems = {};
function machine(video, audio) {
  Object.assign(problems, { video, audio });
}
const mediaDevices = {
  async getUserMedia(wanted) {
    const kinds = Object.keys(wanted);
    for (const kind of kinds) if (problems[kind]) throw Object.assign(new Error(kind), { name: problems[kind] });
    return new MediaStream(kinds.map((kind) => new Track(kind)));
  },
};
Object.defineProperty(globalThis, 'navigator', { value: { mediaDevices }, configurable: true });

const kinds = (media) => media.getTracks().map(({ kind }) => kind).join();

test('a camera that does not open leaves the microphone, and the other way round', async () => {
  for (const name of ['NotReadableError', 'AbortError', 'NotAllowedError', 'OverconstrainedError', 'NotFoundError']) {
    for (const [video, audio, got] of [[name, '', 'audio'], ['', name, 'video']]) {
      machine(video, audio);
      const { media, lack } = await openCamera();
      assert.equal(kinds(media), got);
      assert.equal(lack?.name, name === 'NotFoundError' ? undefined : name); // who has none knows
    }
    machine(name, name);
    await assert.rejects(openCamera(), { name });
  }
  machine('', '');
  const { media, lack } = await openCamera();
  assert.deepEqual([kinds(media), lack], ['video,audio', null]);
});

test('a room gets the camera later, and a microphone that is off stays so', async () => {
  const sending = new Sending();
  machine('NotReadableError', '');
  assert.equal((await sending.openCamera()).name, 'NotReadableError');
  const first = sending.stream();
  sending.toggle('audio');
  machine('', '');
  assert.equal(await sending.openCamera(), null);
  assert.equal(first.getTracks()[0].readyState, 'ended');
  assert.equal(kinds(sending.stream()), 'audio,video');
  const { audio, video } = sending.state();
  assert.deepEqual([audio, video], [false, true]);
});

test('what is turned off and on is the same stream', async () => {
  const sending = new Sending();
  machine('', '');
  assert.equal(sending.stream(), null);
  await sending.openCamera();
  const stream = sending.stream();
  sending.toggle('audio');
  assert.equal(sending.stream(), stream);
  sending.end();
  assert.equal(sending.stream(), null);
});

test('what was unplugged is not sent any more, and is said', async () => {
  const sending = new Sending();
  const told = [];
  sending.onended = () => told.push(sending.stream() && kinds(sending.stream()));
  machine('', '');
  await sending.openCamera();
  const old = sending.stream().getTracks();
  const [microphone, camera] = old;
  camera.unplug();
  assert.deepEqual(told, ['audio']);
  assert.equal(sending.state().camera, false);
  sending.toggle('audio');
  microphone.unplug();
  assert.deepEqual(told, ['audio', null]);
  await sending.openCamera();
  assert.equal(kinds(sending.stream()), 'audio,video');
  assert.equal(sending.state().audio, false); // off is off, whatever was plugged in
  for (const track of old) track.unplug();
  assert.equal(told.length, 2);
});

test('the other camera is that of the other side, or the next', async () => {
  mediaDevices.enumerateDevices = async () => [
    { kind: 'audioinput', deviceId: 'm' }, { kind: 'videoinput', deviceId: 'a' }, { kind: 'videoinput', deviceId: 'b' },
  ];
  const of = (settings) => ({ getVideoTracks: () => [{ getSettings: () => settings }] });
  const exact = (deviceId) => ({ deviceId: { exact: deviceId } });
  assert.deepEqual(await otherCamera(of({ deviceId: 'a' })), exact('b'));
  assert.deepEqual(await otherCamera(of({ deviceId: 'b' })), exact('a'));
  assert.deepEqual(await otherCamera(of({ deviceId: 'gone' })), exact('a'));
  assert.deepEqual(await otherCamera(of({ deviceId: 'a', facingMode: 'user' })), { facingMode: 'environment' });
  assert.deepEqual(await otherCamera(of({ deviceId: 'b', facingMode: 'environment' })), { facingMode: 'user' });
  assert.deepEqual(sameCamera(of({ deviceId: 'b' })), exact('b'));
  assert.deepEqual([facesAway(of({ facingMode: 'environment' })), facesAway(of({})), facesAway(null)], [true, false, false]);
});

test('a phone shares no screen, though its Firefox has the function', () => {
  const on = (userAgent, devices) => {
    Object.defineProperty(globalThis, 'navigator', { value: { userAgent, mediaDevices: devices }, configurable: true });
    return canShareScreen();
  };
  const getDisplayMedia = () => {};
  assert.ok(on('Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0', { getDisplayMedia }));
  assert.ok(!on('Mozilla/5.0 (Android 14; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0', { getDisplayMedia }));
  assert.ok(!on('Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15', {}));
  assert.ok(!on('', undefined));
});
