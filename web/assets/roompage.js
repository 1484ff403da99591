// The page of a room, /r/ROOM#TOKEN: it brings the room, the call, what is sent
// and what is shown together.

import { Call, Room } from './client.js';
import { onLanguage, speak } from './lang.js';
import { mediaProblem } from './media.js';
import { People } from './people.js';
import { missingRelay, transportPolicy, watchRelay } from './relay.js';
import { RoomButtons } from './roombuttons.js';
import { RoomTiles } from './roomtiles.js';
import { reasonWords, roomState, roomWords } from './roomwords.js';
import { Sending } from './sending.js';
import { Share } from './share.js';
import { socketProblem } from './trouble.js';
import { element, show, View } from './view.js';
import { stayAwake } from './wake.js';
import { PathWatch } from './watch.js';

const BASE = '../'; // the box, from /r/ROOM

export class RoomPage {
  #view = new View();
  #tiles = new RoomTiles();
  #people = new People();
  #share = new Share();
  #sending = new Sending();
  #room = new Room(location.pathname.split('/').pop(), {
    invite: location.hash.slice(1), base: new URL(BASE, location.href),
  });
  #call = new Call(this.#room, { config: { iceTransportPolicy: transportPolicy() } });
  #paths = new PathWatch(this.#call, () => this.#render());
  #buttons = new RoomButtons({
    mute: () => this.#sending.toggle('audio'),
    camera: () => this.#sending.toggle('video'),
    screen: () => this.#shareScreen(),
    leave: () => this.#room.close(),
  });
  #since = new Map(); // id of a peer that is not connected -> when that began
  #inside = true; // not left, and not refused
  #entered = false;
  #opening = false; // the browser asks for the camera
  #connected = false; // to anybody

  // enter enters the room, and asks for camera and microphone once it is in.
  enter() {
    speak(element('language'));
    onLanguage(() => this.#render());
    addEventListener('hashchange', () => location.reload());
    addEventListener('pagehide', () => this.#room.close()); // the others need not wait for us
    addEventListener('pageshow', ({ persisted }) => persisted && location.reload());
    if (!window.isSecureContext) this.#view.problem('insecure', 'problem.insecure');
    if (!window.RTCPeerConnection) return this.#view.problem('browser', 'problem.browser');
    this.#share.offer(location.href, 'room.share');
    this.#sending.onchange = () => this.#send();
    this.#sending.onended = () => this.#mediaProblem('media', 'problem.ended', () => this.#openCamera());
    this.#people.onname = () => this.#introduce();
    this.#followRoom();
    this.#followCall();
    window.icebox = { peers: new Map(), room: this.#room }; // for whoever debugs
    this.#room.connect();
    this.#render();
  }

  #followRoom() {
    this.#room.on('welcome', () => this.#welcome());
    this.#room.on('resumed', () => this.#back());
    this.#room.on('reconnecting', (how) => this.#lost(how));
    this.#room.on('closed', (how) => this.#left(how));
    this.#room.on('message', (m) => {
      if (m.type !== 'about') return;
      this.#people.learn(m.from, m);
      this.#render();
    });
  }

  #followCall() {
    this.#call.on('peer', ({ id, pc }) => {
      window.icebox.peers.set(id, pc);
      watchRelay(pc);
      this.#since.set(id, performance.now());
      this.#introduce(id);
      this.#render();
    });
    this.#call.on('change', ({ id, state }) => {
      if (state === 'connected') this.#since.delete(id);
      else if (!this.#since.has(id)) this.#since.set(id, performance.now());
      this.#paths.look();
      this.#render();
    });
    this.#call.on('left', ({ id }) => {
      window.icebox.peers.delete(id);
      this.#since.delete(id);
      if (!this.#room.peers.has(id)) this.#people.forget(id); // else it has a new connection: what it says came before that
      this.#render();
    });
  }

  #welcome() {
    this.#back();
    if (!this.#entered) this.#openCamera();
    this.#entered = true;
    this.#render();
  }

  #back() {
    this.#view.problem('socket', '');
    this.#render();
  }

  async #lost(how) {
    this.#render();
    const key = reasonWords(how.reason) ?? await socketProblem(how, BASE);
    if (!this.#room.open && this.#inside) this.#view.problem('socket', key);
  }

  // #left is the end: by the button, or by an error that trying does not mend.
  #left({ code, reason }) {
    this.#inside = false;
    this.#sending.end();
    this.#view.problem('socket', '');
    this.#view.problem('media', '');
    const key = code === 1000 ? 'status.gone' : reasonWords(reason) ?? 'room.broken';
    const label = code === 1000 ? 'room.again' : 'again';
    this.#view.problem('left', key, { values: { reason: reason || code }, action: { label, run: () => location.reload() } });
    this.#render();
  }

  // #openCamera asks for camera and microphone. Without, one can still watch.
  async #openCamera() {
    this.#view.problem('media', '');
    this.#opening = true;
    this.#render();
    const problem = await this.#sending.openCamera().catch((error) => error);
    if (!this.#inside) this.#sending.end(); // left meanwhile
    else if (problem) this.#mediaFailed(problem, false, () => this.#openCamera());
    this.#opening = false;
    this.#render();
  }

  async #shareScreen() {
    this.#view.problem('screen', '');
    try {
      await this.#sending.toggleScreen();
    } catch (error) {
      if (this.#inside) this.#mediaFailed(error, true);
    }
    if (!this.#inside) this.#sending.end(); // left meanwhile
  }

  #mediaFailed(error, screen, run) {
    console.warn('icebox: media', error);
    const key = mediaProblem(error, screen);
    if (key === 'problem.insecure') return; // it is said already
    this.#mediaProblem(screen ? 'screen' : 'media', key, run);
  }

  #mediaProblem(slot, key, run) {
    this.#view.problem(slot, key, { action: run && { label: 'again', run } });
  }

  // #send sends what there is to send now, and says so.
  #send() {
    const stream = this.#sending.stream();
    this.#call.setMedia(stream);
    this.#tiles.local(stream, this.#sending.state());
    this.#introduce();
    this.#render();
  }

  // #introduce says who and how we are, to one or to all.
  #introduce(to) {
    const { audio, video, screen } = this.#sending.state();
    this.#room.send({ type: 'about', name: this.#people.name, audio, video, screen }, to);
  }

  #render() {
    const peers = [...this.#call.peers.values()];
    const facts = {
      entered: this.#entered, inside: this.#inside, open: this.#room.open, opening: this.#opening,
      sending: this.#sending.stream() !== null, relayPort: missingRelay(peers.map(({ pc }) => pc)),
      peers, since: this.#since, now: performance.now(),
    };
    const state = roomState(facts);
    this.#view.state(state);
    this.#view.status(...roomWords(state, facts));
    this.#tiles.remote(peers.map((peer) => ({
      peer, name: this.#people.nameOf(peer.id), about: this.#people.about(peer.id), known: this.#paths.known.get(peer.id),
    })));
    this.#people.list(peers.map(({ id }) => id));
    this.#buttons.render(this.#sending.state(), this.#inside && this.#entered);
    show(this.#inside, 'share', 'who');
    document.body.dataset.socket = this.#room.open ? 'open' : 'closed';
    document.body.dataset.others = peers.length;
    this.#stayAwake(state === 'connected');
  }

  #stayAwake(connected) {
    if (connected === this.#connected) return;
    this.#connected = connected;
    stayAwake(connected);
  }
}
