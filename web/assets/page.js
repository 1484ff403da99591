// A call page: it brings the sign-in, the socket, the call and what is shown
// together. The three pages differ in who sends what, and when.

import { Call } from './call.js';
import { Controls } from './controls.js';
import { Form } from './form.js';
import { speak } from './lang.js';
import { Login } from './login.js';
import { facesAway, keepOff, live, mediaProblem, stop } from './media.js';
import { missingRelay, transportPolicy } from './relay.js';
import { linkTo, roomName, socketURL } from './room.js';
import { Share } from './share.js';
import { Signal } from './signal.js';
import { Tiles } from './tiles.js';
import { socketProblem } from './trouble.js';
import { element, show, View } from './view.js';
import { stayAwake } from './wake.js';
import { PathWatch } from './watch.js';
import { callState, callWords } from './words.js';

// ms from connected to the first look at the path: candidates that came by the
// socket late are then told from those that a NAT made.
const FIRST_LOOK = 700;

export class Page {
  media = null; // what is sent: what of #opened has not ended
  call = null; // once the box was reached and the sign-in is done

  #kind;
  #role = '';
  #wasConnected = false;
  #before = 'status.loading';
  #opened = null; // by open
  #screen = false; // whether that is one
  #opening = false; // the browser asks for camera or screen
  #sends = 0; // how often what is sent has changed
  #asking = false; // the sign-in is shown
  #view = new View();
  #tiles = new Tiles();
  #controls = new Controls();
  #share = new Share();
  #login = new Login(new Form());
  #signal = new Signal(socketURL(location.href, roomName()));
  #paths = null;

  constructor(kind) {
    this.#kind = kind;
    speak(element('language'));
    window.icebox = { peers: new Map() };
    addEventListener('hashchange', () => location.reload());
    addEventListener('pageshow', ({ persisted }) => persisted && location.reload());
    this.#login.onask = () => {
      this.#asking = true;
      this.render();
    };
    this.#login.onproblem = (key) => {
      this.#view.problem('login', key);
      this.render();
    };
    this.#controls.onflip = (open) => this.open(open);
    element('relay').addEventListener('click', () => this.#login.again());
    if (!window.isSecureContext) this.#view.problem('insecure', 'problem.insecure');
    if (!window.RTCPeerConnection) this.#view.problem('browser', 'problem.browser');
  }

  // say is for the time before anything is asked for.
  say(key) {
    this.#before = key;
    this.render();
  }

  // enter signs in and joins the room as role: both, send or watch, once what is
  // awaited in ready has ended.
  async enter(role, ready) {
    this.#role = role;
    this.#before = 'status.loading';
    const url = new URL(location);
    if (role !== 'both') url.searchParams.set('role', role);
    history.replaceState(null, '', url);
    const [servers] = await Promise.all([this.#login.servers(), ready]);
    const other = { send: 'watch', watch: 'send' }[role] ?? null;
    this.#share.offer(linkTo(location.href, roomName(), other), `share.${role}`);
    this.#begin(servers);
  }

  // open asks for media by open, one of media.js, and sends it. What goes wrong
  // is said, with a button to try again. It says whether there is media: what comes
  // when something else is sent by then, or nothing, is not. onend is called when the
  // person ends a screen outside of the page.
  async open(open, { screen = false, onend = () => {} } = {}) {
    const again = () => this.open(open, { screen, onend });
    this.#view.problem('media', '');
    const opening = open(); // at once: it may need the click that led here
    const sends = this.#sends;
    this.#opening = true;
    this.render();
    try {
      const { media, lack } = await opening;
      if (sends === this.#sends) {
        keepOff(media, this.#opened);
        this.send(media, screen);
        this.#follow(media, { screen, onend, again });
        if (lack) this.#mediaFailed(lack, screen, again);
      } else {
        stop(media);
      }
    } catch (error) {
      if (sends === this.#sends) this.#mediaFailed(error, screen, again);
    } finally {
      this.#opening = false;
      this.render();
    }
    return Boolean(this.media);
  }

  // send sends media from now on, null: nothing.
  send(media, screen = false) {
    this.#sends++;
    if (this.#opened !== media) stop(this.#opened);
    this.#opened = media;
    this.#screen = screen;
    this.#sendLive();
  }

  // start calls everybody who is there; hangUp ends what there is.
  start() {
    this.#view.problem('left', '');
    this.call?.start();
  }

  hangUp() {
    this.#view.problem('left', '');
    this.call?.hangUp();
  }

  // render shows what there is to be seen now.
  render() {
    if (!this.call) {
      this.#view.status(this.#opening ? 'status.camera' : this.#asking ? 'status.login' : this.#before);
      return;
    }
    const state = document.body.dataset.state === 'idle' && !this.#signal.open
      ? 'idle' : callState(this.call, performance.now());
    this.#view.state(state);
    this.#view.status(...callWords(this.call, state, {
      role: this.#role, media: this.media, connected: this.#signal.open, direct: this.#login.direct,
      relayPort: missingRelay([...this.call.connections.values()]),
    }));
    this.#controls.remotes(this.#tiles.remote([...this.call.peers.values()]));
    document.body.dataset.socket = this.#signal.open ? 'open' : 'closed';
    document.body.dataset.others = this.call.others.size;
    const inCall = this.call.calling || (this.#role === 'send' && this.media);
    show(inCall, 'hangup');
    show(this.#role === 'both' && !this.call.calling, 'call_H');
    show(this.#login.direct, 'relay');
    show(this.#role !== 'watch' || state !== 'connected', 'share');
    this.#connectedChanged(state === 'connected');
  }

  #sendLive() {
    this.media = live(this.#opened);
    this.#tiles.local(this.media, !this.#screen && !facesAway(this.media));
    this.#controls.media(this.media, this.#screen);
    this.call?.setMedia(this.media);
    this.render();
  }

  // #follow takes the end of media outside of the page: a screen that is not shared
  // any more, which onend is for, or a camera or microphone that was unplugged.
  #follow(media, { screen, onend, again }) {
    for (const track of media.getTracks()) {
      track.addEventListener('ended', () => {
        if (media !== this.#opened) return;
        if (screen && track.kind === 'video') return onend();
        this.#sendLive();
        if (!screen) this.#view.problem('media', 'problem.ended', { action: { label: 'again', run: again } });
      });
    }
  }

  #mediaFailed(error, screen, again) {
    console.warn('icebox: media', error);
    const key = mediaProblem(error, screen);
    if (key === 'problem.insecure') this.#view.problem('insecure', key);
    else this.#view.problem('media', key, { action: { label: 'again', run: again } });
  }

  #begin(iceServers) {
    const config = (servers) => ({
      iceServers: servers,
      iceTransportPolicy: transportPolicy(),
    });
    const signal = this.#signal;
    this.call = new Call({
      kind: this.#kind, role: this.#role, signal, config: config(iceServers), media: this.media,
    });
    window.icebox.peers = this.call.connections;
    this.#paths = new PathWatch(this.call, () => {
      this.#tiles.paths(this.#paths.known);
      this.#view.ways(this.#role === 'send' ? this.#paths.known : new Map());
      this.render();
    });
    this.#login.onservers = (servers) => this.call.setConfig(config(servers));
    const joined = signal.onopen;
    signal.onopen = () => {
      this.#view.problem('socket', '');
      joined();
    };
    signal.onlost = (how) => this.#lost(how);
    this.call.onchange = () => this.render();
    this.call.onleft = () => {
      const alone = this.#role !== 'send' && this.call.peers.size === 0;
      if (alone) this.#view.problem('left', 'status.left');
    };
    signal.connect();
    this.render();
  }

  async #lost(how) {
    this.render();
    const key = await socketProblem(how);
    if (!this.#signal.open) this.#view.problem('socket', key);
  }

  #connectedChanged(connected) {
    if (connected === this.#wasConnected) return;
    this.#wasConnected = connected;
    stayAwake(connected);
    if (connected) {
      this.#view.problem('left', '');
      scrollTo({ top: 0, behavior: 'smooth' });
    }
    setTimeout(() => this.#paths.look(), connected ? FIRST_LOOK : 0);
  }
}
