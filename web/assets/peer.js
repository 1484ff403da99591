// One RTCPeerConnection to one other page: its negotiation, its candidates both
// ways, and its repair.
//
// Either side may offer at any time. Where two offers meet, the side with the
// smaller page id gives way. Everything is done in order, one thing at a time, so
// that what is read of the state of the connection holds until it is used.

import { watchRelay } from './relay.js';
import { randomId } from './room.js';

const GATHERING = 50; // ms; candidates of this time go out as one message

// How long a state may last, in ms, before a new way is looked for. The side
// that gives way waits longer, so that mostly one offer is made.
const PATIENCE = { new: 12_000, connecting: 12_000, disconnected: 3_000, failed: 0 };
const POLITE = 4_000;
const AGAIN = 10_000; // from one try to the next

export class Peer {
  sid = randomId(); // names this connection at this end
  rsid = ''; // at the other; '': not known yet
  stream = null; // of the other page
  troubleSince = performance.now(); // 0: none
  wasConnected = false;

  #polite;
  #hooks;
  #media = null; // what is sent
  #outgoing = new MediaStream(); // names our tracks as belonging together, whatever is sent
  #tasks = Promise.resolve();
  #round = 0; // of our offers
  #candidates = []; // to be sent
  #early = []; // theirs, from before their description
  #ignoring = false; // their offer, that met ours
  #stateSince = performance.now();
  #lastTry = -Infinity;
  #offeredAt = 0;
  #summoned = Infinity; // when to try again whatever the state

  // config is that of RTCPeerConnection. hooks: send(type, fields) to the other
  // page, change() when anything to be seen has changed.
  constructor(self, id, config, hooks) {
    this.id = id;
    this.#polite = self < id;
    this.#hooks = hooks;
    this.pc = new RTCPeerConnection(config);
    watchRelay(this.pc);
    this.pc.onicecandidate = ({ candidate }) => candidate?.candidate && this.#gathered(candidate);
    this.pc.onnegotiationneeded = () => this.#do(() => this.#offer());
    this.pc.ontrack = ({ track, streams }) => this.#received(track, streams);
    this.pc.onconnectionstatechange = () => this.#changed();
    this.pc.oniceconnectionstatechange = () => this.#changed();
  }

  // state is that of the connection, in the words of connectionState.
  get state() {
    if (this.pc.connectionState) return this.pc.connectionState;
    const ice = this.pc.iceConnectionState;
    return { checking: 'connecting', completed: 'connected' }[ice] ?? ice;
  }

  // dial makes the first offer, with the tracks of media, or none of it.
  dial(media) {
    this.#media = media;
    this.#share();
    for (const kind of ['audio', 'video']) {
      const there = this.pc.getTransceivers().some((t) => t.sender.track?.kind === kind);
      if (!there && !media) this.pc.addTransceiver(kind, { direction: 'recvonly' });
    }
  }

  // setMedia changes what is sent, at once where the other page has been heard, else
  // with the answer to its offer.
  setMedia(media) {
    this.#media = media;
    if (this.pc.remoteDescription) this.#share();
  }

  // receive takes an offer, an answer or candidates of the other page.
  receive(message) {
    this.#do(() => this.#take(message));
  }

  // restart looks for a new way by a new offer.
  restart() {
    this.#lastTry = performance.now();
    this.#summoned = Infinity;
    this.pc.restartIce();
    this.#do(() => this.#offer());
  }

  // rejoined is called when this page or the other has come back to the room:
  // what was said meanwhile is lost, but a connection that holds needs none of it.
  rejoined() {
    if (this.troubleSince || this.pc.signalingState !== 'stable') {
      this.#summoned = performance.now() + this.#yielding;
    }
  }

  // tick is called about once a second and restarts when it is time to.
  tick(now) {
    if (now >= this.#dueAt()) this.restart();
  }

  // #dueAt is when a restart is due by what is known now.
  #dueAt() {
    const unanswered = this.pc.signalingState === 'have-local-offer';
    if (!this.troubleSince && !unanswered) return Infinity;
    const since = this.troubleSince
      ? this.#stateSince + (PATIENCE[this.state] ?? AGAIN)
      : this.#offeredAt + AGAIN;
    return Math.min(this.#summoned, Math.max(since, this.#lastTry + AGAIN) + this.#yielding);
  }

  get #yielding() {
    return this.#polite ? POLITE : 0;
  }

  close() {
    this.pc.onconnectionstatechange = null;
    this.pc.oniceconnectionstatechange = null;
    this.pc.close();
  }

  #do(task) {
    this.#tasks = this.#tasks.then(task).catch((error) => {
      if (this.pc.signalingState !== 'closed') console.warn('icebox: negotiation', error);
    });
  }

  async #offer() {
    if (!['stable', 'have-local-offer'].includes(this.pc.signalingState)) return;
    await this.pc.setLocalDescription();
    this.#round++;
    this.#offeredAt = performance.now();
    this.#hooks.send('offer', { sdp: this.pc.localDescription.sdp, round: this.#round });
  }

  async #take({ type, sdp, round, candidates }) {
    if (type === 'offer') return this.#takeOffer(sdp, round);
    if (type === 'answer') return this.#takeAnswer(sdp, round);
    for (const candidate of Array.isArray(candidates) ? candidates : []) {
      if (this.pc.remoteDescription) await this.#add(candidate);
      else this.#early.push(candidate);
    }
  }

  async #takeOffer(sdp, round) {
    this.#ignoring = this.pc.signalingState !== 'stable' && !this.#polite;
    if (this.#ignoring) return;
    await this.pc.setRemoteDescription({ type: 'offer', sdp });
    this.#share();
    await this.#addEarly();
    await this.pc.setLocalDescription();
    this.#hooks.send('answer', { sdp: this.pc.localDescription.sdp, round });
  }

  async #takeAnswer(sdp, round) {
    if (round !== this.#round || this.pc.signalingState !== 'have-local-offer') return;
    await this.pc.setRemoteDescription({ type: 'answer', sdp });
    this.#ignoring = false;
    await this.#addEarly();
    this.#share(); // what is sent may be another since the offer
  }

  async #addEarly() {
    for (const candidate of this.#early.splice(0)) await this.#add(candidate);
  }

  async #add(candidate) {
    try {
      await this.pc.addIceCandidate(candidate);
    } catch (error) {
      if (this.#ignoring || this.pc.signalingState === 'closed') return;
      console.debug('icebox: candidate of another offer', error);
    }
  }

  // #share sends the tracks of our media, on the senders there are.
  #share() {
    for (const track of this.#media?.getTracks() ?? []) {
      const sender = this.pc.getSenders().find((s) => s.track?.kind === track.kind);
      if (!sender) this.pc.addTrack(track, this.#outgoing);
      else if (sender.track !== track) sender.replaceTrack(track);
    }
  }

  #gathered(candidate) {
    if (this.#candidates.push(candidate.toJSON()) > 1) return;
    setTimeout(() => this.#hooks.send('ice', { candidates: this.#candidates.splice(0) }), GATHERING);
  }

  #received(track, [stream]) {
    this.stream ??= stream ?? new MediaStream();
    if (stream && stream !== this.stream) this.stream = stream;
    if (!stream) this.stream.addTrack(track);
    track.onunmute = () => this.#hooks.change();
    this.#hooks.change();
  }

  #changed() {
    this.#stateSince = performance.now();
    if (this.state === 'connected') {
      this.troubleSince = 0;
      this.wasConnected = true;
      this.#summoned = Infinity;
    } else {
      this.troubleSince ||= performance.now();
    }
    this.#hooks.change();
  }
}
