/**
 * The icebox client: rooms of a box, and calls in them. One file without
 * imports, for the pages of the box and for yours:
 *
 *   import { Room, Call } from 'https://home.example:3002/client.js';
 *
 *   const room = new Room('kitchen', { invite: TOKEN });
 *   const call = new Call(room, { media: await navigator.mediaDevices.getUserMedia({ audio: true, video: true }) });
 *   call.on('change', (peer) => {
 *     const video = videoOf(peer.id);
 *     if (video.srcObject !== peer.stream) video.srcObject = peer.stream; // setting it again begins anew
 *   });
 *   call.on('left', (peer) => videoOf(peer.id).remove());
 *   room.on('closed', ({ reason }) => alert(reason)); // 'invite-expired', say
 *   room.connect();
 *
 * A Room keeps its connection by itself. It comes back as the same peer with
 * nothing lost and nothing twice, as docs/PROTOCOL.md says; where that is not
 * possible any more it enters as a new one. A Call holds one RTCPeerConnection to
 * each other peer of a Room and repairs them. docs/CLIENT.md has every event.
 */

// All times are of performance.now: nobody sets that clock.
const OPENING = 10_000; // ms until the welcome; a browser alone would wait for minutes
const STEADY = 5_000; // ms; after that a connection counts as having worked
const FIRST_WAIT = 500; // ms before the first try to come back, doubled with each
const LONGEST_WAIT = 15_000; // ms
const CHECK = 15_000; // ms between two signs of life that are asked for
const SILENCE = 8_000; // ms that one may take
const KEPT = 2_000; // messages that wait to be taken, more are refused
const BURST = 100; // messages at once, and
const LATE = 60_000; // ms that an attempt which was given up may still be under way
const RATE = 0.04; // messages a ms from then on: less than signaling.messages allows

// Close codes after which there is no use in trying again, those after which
// the peer that we were is gone, and least waits in ms.
const HOPELESS = new Set([1002, 1003, 1007, 1009, 4401, 4409]);
const GONE = new Set([1001, 4404, 4429]);
const LEAST_WAIT = { 4429: 5_000 };
const TAKEN_OVER = 4409;

const NAME = /^[A-Za-z0-9_-]{1,64}$/; // of a room

// The type of a message of ours to ourselves. When it is back, all before it were
// taken, and the connection lives: a script can't see the pings of the server.
const ECHO = 'client-echo';

// Emitter has events. A listener gets what an event is about.
class Emitter extends EventTarget {
  /** Calls listener with the details of each event of this name. */
  on(name, listener) {
    this.addEventListener(name, ({ detail }) => listener(detail));
    return this;
  }

  emit(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}

/**
 * A Room is one peer's place in a room of the box.
 *
 * Events: welcome {id, peers}, peer-joined {id}, peer-left {id}, message (with
 * from), ice-servers {restart}, reconnecting {code, reason, opened, wait}, resumed,
 * lost {id}, refused {code, message}, closed {code, reason}.
 */
export class Room extends Emitter {
  /** Who we are in the room; '' before the first welcome. */
  id = '';
  /** The ids of the others. */
  peers = new Set();
  /** For an RTCPeerConnection, always the newest. */
  iceServers = [];
  /** Whether we are in the room and the connection is up. */
  open = false;

  #base;
  #invite;
  #wanted = false; // between connect and close
  #socket = null;
  #reason = ''; // of an error, which comes before the close that it explains
  #tries = 0;
  #retry = 0;
  #opening = 0; // timer
  #openedAt = 0;
  #life = 0; // interval
  #silence = 0; // timer, while a sign of life is awaited

  #resume = '';
  #seq = 0; // of the last message that came
  #sent = []; // {n, text}: not known to be taken
  #count = 0; // messages so far
  #handed = 0; // of those, given to the socket
  #budget = BURST;
  #pumpedAt = 0;
  #pumping = 0; // timer
  #echo = 0; // number of the last ECHO
  #givenUpAt = -LATE; // when an attempt to come back was given up, which may get through yet

  /**
   * name is that of the room, invite the token behind the # of a link into it,
   * base the address of the box: by default where this file came from. A name that
   * no room can have is a TypeError.
   */
  constructor(name, { invite = '', base = new URL('.', import.meta.url) } = {}) {
    super();
    if (!NAME.test(name)) throw new TypeError('a room is 1 to 64 letters of A-Z and a-z, digits, - and _');
    this.name = name;
    this.#invite = invite;
    this.#base = base;
  }

  /** Enters the room, and comes back until close or an error without remedy. */
  connect() {
    if (this.#wanted) return;
    this.#wanted = true;
    this.#life = setInterval(() => this.check(), CHECK);
    globalThis.addEventListener?.('online', this.#online);
    globalThis.document?.addEventListener('visibilitychange', this.#visible);
    this.#dial();
  }

  /** Leaves for good. */
  close() {
    this.#finish(1000, '');
  }

  /**
   * Sends message, an object with a string type, to the peer with the id of to,
   * without it to all others. While the connection is lost it waits. False: it is
   * not sent, since we are not in the room or too much waits.
   */
  send(message, to) {
    if (!this.id || !this.#wanted || this.#sent.length >= KEPT) return false;
    const text = JSON.stringify(to === undefined ? message : { ...message, to });
    this.#sent.push({ n: ++this.#count, text });
    this.#pump();
    return true;
  }

  /** Asks now whether the connection still lives, where something hints that it may not. */
  check() {
    if (!this.open || this.#silence || this.#echo > this.#handed) return;
    this.#echo = this.#count + 1;
    if (!this.send({ type: ECHO, n: this.#echo }, this.id)) this.#echo = 0;
  }

  // The network is back, or another one is there: the old socket may be dead
  // without knowing.
  #online = () => {
    if (this.#socket) this.#abandon();
    this.#dial();
  };

  #visible = () => {
    if (document.hidden) return;
    if (this.#socket) this.check();
    else this.#dial();
  };

  #address() {
    const url = new URL(`ws/${encodeURIComponent(this.name)}`, this.#base);
    url.protocol = url.protocol === 'http:' ? 'ws:' : 'wss:';
    if (this.#resume) url.search = new URLSearchParams({ resume: this.#resume, seq: this.#seq });
    else if (this.#invite) url.search = new URLSearchParams({ invite: this.#invite });
    return url.href;
  }

  #dial() {
    if (this.#socket || !this.#wanted) return;
    clearTimeout(this.#retry);
    this.#reason = '';
    const socket = new WebSocket(this.#address());
    this.#socket = socket;
    this.#opening = setTimeout(() => this.#abandon(), OPENING);
    socket.onmessage = ({ data }) => socket === this.#socket && this.#take(JSON.parse(data));
    socket.onclose = ({ code, reason }) => socket === this.#socket && this.#ended(code, reason);
  }

  // #abandon gives up a socket, which may take long to notice that it is dead.
  #abandon() {
    const old = this.#socket;
    if (this.#resume && !this.open) this.#givenUpAt = performance.now();
    this.#ended(1006, '');
    old?.close(4000); // no 1000: we come back
  }

  #ended(code, reason) {
    const opened = this.open;
    const why = this.#reason || reason;
    this.#disconnect();
    if (HOPELESS.has(code) && !this.#byOurselves(code)) return this.#finish(code, why);
    if (GONE.has(code)) this.#resume = '';
    if (opened && performance.now() - this.#openedAt > STEADY) this.#tries = 0;
    const wait = code === 4404 ? 0 : Math.max(LEAST_WAIT[code] ?? 0, this.#backoff());
    this.#retry = setTimeout(() => this.#dial(), wait);
    this.emit('reconnecting', { code, reason: why, opened, wait });
  }

  // #byOurselves says whether it was an attempt of our own, given up and late, that has
  // taken this peer over: nobody is behind that one.
  #byOurselves(code) {
    if (code !== TAKEN_OVER || performance.now() - this.#givenUpAt > LATE) return false;
    this.#givenUpAt = -LATE;
    return true;
  }

  // #backoff is the wait before the next try, with a random part, so that not all
  // come back at one moment.
  #backoff() {
    const whole = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** Math.min(this.#tries++, 10));
    return whole * (0.5 + Math.random() / 2);
  }

  #disconnect() {
    this.#socket = null;
    this.open = false;
    for (const timer of [this.#opening, this.#silence, this.#pumping]) clearTimeout(timer);
    this.#silence = 0;
  }

  #finish(code, reason) {
    if (!this.#wanted) return;
    this.#wanted = false;
    const socket = this.#socket;
    this.#disconnect();
    socket?.close(1000);
    clearTimeout(this.#retry);
    clearInterval(this.#life);
    globalThis.removeEventListener?.('online', this.#online);
    globalThis.document?.removeEventListener('visibilitychange', this.#visible);
    this.emit('closed', { code, reason });
  }

  #take(m) {
    clearTimeout(this.#silence);
    this.#silence = 0;
    if (m.seq) this.#seq = m.seq;
    if (m.from !== undefined) return this.#relayed(m);
    switch (m.type) {
      case 'welcome':
        return this.#welcome(m);
      case 'peer-joined':
        return this.#joined(m.id);
      case 'peer-left':
        return this.#left(m.id);
      case 'ice-servers':
        this.iceServers = m.iceServers;
        return this.emit('ice-servers', { restart: m.restart });
      case 'error':
        return this.#refused(m);
    }
  }

  #relayed(m) {
    if (m.from === this.id && m.type === ECHO) this.#taken(m.n);
    else this.emit('message', m);
  }

  #welcome(m) {
    clearTimeout(this.#opening);
    this.#openedAt = performance.now();
    this.#resume = m.resume;
    this.iceServers = m.iceServers;
    if (m.resumed) this.#comeBack(m);
    else this.#enter(m);
    if (!this.#wanted) return; // closed by who was told that all is lost
    this.#pump();
    this.emit(m.resumed ? 'resumed' : 'welcome', { id: m.id, peers: [...this.peers] });
  }

  // #comeBack sends again what the server has not taken. Its peers are not looked
  // at: who came and went meanwhile is told next, in its order.
  #comeBack({ received }) {
    this.#taken(received);
    this.#handed = received;
    this.open = true;
  }

  #enter({ id, peers }) {
    if (this.id) this.emit('lost', { id: this.id });
    if (!this.#wanted) return;
    this.id = id;
    this.peers = new Set(peers);
    this.#seq = 0;
    this.#sent = [];
    this.#count = 0;
    this.#handed = this.#echo = 0;
    this.open = true;
  }

  #joined(id) {
    if (this.peers.has(id)) return;
    this.peers.add(id);
    this.emit('peer-joined', { id });
  }

  #left(id) {
    if (this.peers.delete(id)) this.emit('peer-left', { id });
  }

  #refused({ code, message, received }) {
    if (received === undefined) this.#reason = code;
    else this.emit('refused', { code, message });
  }

  // #taken forgets the messages up to the one of this number.
  #taken(n) {
    this.#sent = this.#sent.filter((message) => message.n > n);
  }

  // #pump hands what waits to the socket, no faster than the server allows.
  #pump() {
    if (!this.open) return;
    clearTimeout(this.#pumping);
    const now = performance.now();
    this.#budget = Math.min(BURST, this.#budget + (now - this.#pumpedAt) * RATE);
    this.#pumpedAt = now;
    for (const { n, text } of this.#sent) {
      if (n <= this.#handed) continue;
      if (this.#budget < 1) {
        this.#pumping = setTimeout(() => this.#pump(), 1 / RATE);
        return;
      }
      this.#budget--;
      this.#socket.send(text);
      this.#handed = n;
      if (n === this.#echo && !this.#silence) this.#silence = setTimeout(() => this.#abandon(), SILENCE);
    }
  }
}

const GATHERING = 50; // ms; candidates of this time go out as one message
const TICK = 1_000; // ms

// How long a state may last, in ms, before a new way is looked for. The polite
// side waits longer, so that mostly one offer is made.
const PATIENCE = { connecting: 15_000, disconnected: 4_000, failed: 0 };
const POLITE = 3_000;
const AGAIN = 10_000; // from one try to the next
const SELDOM = 60_000; // and from one repeated offer to the next, in the end

/**
 * A Call holds a connection to each other peer of a room, for audio and video
 * both ways. Make it before room.connect().
 *
 * Events: peer (a Peer is there), change (its state or stream is another), left
 * (it is gone). It says and takes the messages offer, answer and candidates; all
 * others of the room are yours.
 */
export class Call extends Emitter {
  /** id -> Peer, who has id, pc, stream and state. */
  peers = new Map();

  #room;
  #media;
  #config;
  #ticking;
  #closed = false;

  /**
   * media is a MediaStream of one audio track, one video track, both or none;
   * config is added to that of each RTCPeerConnection.
   */
  constructor(room, { media = null, config = {} } = {}) {
    super();
    this.#room = room;
    this.#media = media;
    this.#config = config;
    const on = (event, f) => room.on(event, (detail) => this.#closed || f(detail));
    on('welcome', ({ peers }) => { for (const id of peers) this.#add(id, false); });
    on('peer-joined', ({ id }) => this.#add(id, true)); // who was there first calls
    on('peer-left', ({ id }) => this.#drop(id));
    on('lost', () => this.#dropAll()); // the others know nobody by our new id
    on('closed', () => this.close());
    on('message', (message) => this.#heard(message));
    on('resumed', () => this.#configure());
    on('ice-servers', ({ restart }) => {
      this.#configure();
      if (restart) for (const peer of this.peers.values()) peer.summon();
    });
    this.#ticking = setInterval(() => this.#tick(), TICK);
  }

  /** Changes what is sent to everybody; null: nothing. No new negotiation is needed. */
  setMedia(media) {
    this.#media = media;
    for (const peer of this.peers.values()) peer.setMedia(media);
  }

  /** Ends all connections, for good. The room is left by its own close. */
  close() {
    this.#closed = true;
    clearInterval(this.#ticking);
    this.#dropAll();
  }

  get #configuration() {
    return { ...this.#config, iceServers: this.#room.iceServers };
  }

  // #add makes a connection to a peer, the first (0) or one that takes the place of the last.
  #add(id, calls, generation = 0) {
    if (this.#closed) return; // by a listener, on the way
    const peer = new Peer(id, {
      config: this.#configuration,
      media: this.#media,
      polite: this.#room.id < id,
      generation,
      send: (message) => this.#room.send(message, id),
      renew: () => this.#replace(id, true, generation + 1),
      change: () => this.#changed(peer),
    });
    this.peers.set(id, peer);
    this.emit('peer', peer);
    if (calls && !this.#closed) peer.call();
  }

  #replace(id, calls, generation) {
    this.#drop(id);
    this.#add(id, calls, generation);
  }

  // #heard gives a message to the connection that it is about. An offer may be of the next
  // one, which both sides can begin: then the polite one takes the other's.
  #heard(message) {
    const { from, type, generation = 0 } = message;
    const peer = this.peers.get(from);
    if (!peer) return;
    const next = generation > peer.generation || generation === peer.generation && peer.givesWay;
    if (type === 'offer' && next) this.#replace(from, false, generation);
    const meant = this.peers.get(from);
    if (meant?.generation === generation) meant.receive(message);
  }

  // #changed looks after the room as well: what has broken the connection to a peer, a router
  // that began anew, say, has mostly broken that to the box, by which a new way is agreed on.
  #changed(peer) {
    if (peer.state === 'disconnected') this.#room.check();
    this.emit('change', peer);
  }

  #drop(id) {
    const peer = this.peers.get(id);
    if (!peer) return;
    this.peers.delete(id);
    peer.close();
    this.emit('left', peer);
  }

  #dropAll() {
    for (const id of [...this.peers.keys()]) this.#drop(id);
  }

  #configure() {
    for (const { pc } of this.peers.values()) pc.setConfiguration(this.#configuration);
  }

  // #tick restarts what is due. The room has to be there for that: its welcome
  // brings the servers, and without it no offer arrives.
  #tick() {
    if (!this.#room.open) return;
    for (const peer of this.peers.values()) peer.tick(performance.now());
  }
}

/**
 * A Peer is the connection to one other peer, negotiated as in "perfect
 * negotiation" (WebRTC 1.0, section 10.7). Its steps are done one after the other,
 * so that what is read of the state of the connection holds until it is used.
 */
class Peer {
  /** What the other sends, null before anything is known of it. Its video is in there from the first picture on. */
  stream = null;

  /** Which connection to this peer it is: 0, 1 and so on, each in place of the last. */
  generation;

  #hooks;
  #polite;
  #media;
  #wasConnected = false;
  #calls = false; // it makes the first offer, or is about to
  #outgoing = new MediaStream(); // names our tracks as belonging together
  #steps = Promise.resolve();
  #ignoring = false; // their offer, which met ours
  #early = []; // their candidates, from before their description
  #found = []; // our candidates, to be sent
  #stateSince = performance.now();
  #lastTry = -Infinity;
  #offer = null; // our last one, as it was sent
  #repeatAt = Infinity; // when to send it again
  #repeatIn = AGAIN;
  #taken = ''; // their last offer
  #answer = null; // what we have answered to it
  #summoned = Infinity; // when to restart whatever the state

  constructor(id, { config, media, polite, generation, ...hooks }) {
    this.id = id;
    this.generation = generation;
    this.#hooks = hooks;
    this.#polite = polite;
    this.#media = media;
    this.pc = new RTCPeerConnection(config);
    this.pc.onicecandidate = ({ candidate }) => candidate?.candidate && this.#gathered(candidate);
    this.pc.onnegotiationneeded = () => this.#do(() => this.#makeOffer());
    this.pc.ontrack = ({ track }) => this.#received(track);
    this.pc.onconnectionstatechange = () => this.#changed();
  }

  /** new, connecting, connected, disconnected, failed or closed. */
  get state() {
    return this.pc.connectionState;
  }

  // call makes the first offer. Both ways are open whatever is sent now, so that
  // it can change without an offer.
  call() {
    this.#calls = true;
    for (const kind of ['audio', 'video']) {
      this.pc.addTransceiver(this.#track(kind) ?? kind, { direction: 'sendrecv', streams: [this.#outgoing] });
    }
  }

  setMedia(media) {
    this.#media = media;
    this.#do(() => this.#replaceTracks());
  }

  receive(message) {
    this.#do(() => this.#take(message));
  }

  // givesWay says of a renewed connection whether an offer that comes takes its place: ours is
  // being made or has no answer yet, and the other side has made one too.
  get givesWay() {
    return this.generation > 0 && this.#polite && this.#meets;
  }

  // #meets says whether an offer that comes meets the first of ours.
  get #meets() {
    return this.#calls && !this.pc.remoteDescription;
  }

  // summon asks for a restart although the connection may look well.
  summon() {
    this.#summoned = performance.now() + this.#yielding;
  }

  tick(now) {
    // What Firefox restarts after it has failed says that it is connected, and carries nothing.
    if (this.state === 'failed' && this.#wasConnected) {
      if (now >= this.#stateSince + this.#yielding) this.#hooks.renew();
      return;
    }
    if (this.pc.signalingState === 'have-local-offer') {
      if (now >= this.#repeatAt) this.#do(() => this.#repeat());
      return;
    }
    if (now < this.#dueAt()) return;
    this.#tried();
    this.pc.restartIce(); // which asks for a negotiation
  }

  close() {
    this.pc.onconnectionstatechange = null;
    this.pc.close();
  }

  #dueAt() {
    if (!this.pc.remoteDescription) return Infinity; // the first offer is on its way
    const since = this.#stateSince + (PATIENCE[this.state] ?? Infinity);
    return Math.min(this.#summoned, Math.max(since, this.#lastTry + AGAIN) + this.#yielding);
  }

  get #yielding() {
    return this.#polite ? POLITE : 0;
  }

  #tried() {
    this.#lastTry = performance.now();
    this.#summoned = Infinity;
  }

  #do(step) {
    this.#steps = this.#steps.then(step).catch((error) => {
      if (this.pc.signalingState !== 'closed') console.warn('icebox: connection', error);
    });
  }

  async #makeOffer() {
    if (this.pc.signalingState !== 'stable') return; // it is asked for again
    await this.pc.setLocalDescription();
    this.#offer = { ...this.#description(), round: (this.#offer?.round ?? 0) + 1 };
    this.#repeatIn = AGAIN;
    this.#sendOffer();
  }

  // #repeat sends an offer again that has no answer, later each time. It is the same
  // one, so that an answer to either is good.
  #repeat() {
    if (this.pc.signalingState !== 'have-local-offer') return;
    this.#repeatIn = Math.min(2 * this.#repeatIn, SELDOM);
    this.#sendOffer();
  }

  #sendOffer() {
    this.#repeatAt = performance.now() + this.#repeatIn + this.#yielding;
    this.#hooks.send(this.#offer);
  }

  async #take({ type, sdp, round, candidates }) {
    if (type === 'offer') await this.#takeOffer(sdp, round);
    else if (type === 'answer') await this.#takeAnswer(sdp, round);
    else if (type === 'candidates') await this.#takeCandidates(candidates);
  }

  // #takeOffer answers an offer. One that comes again, since its answer is late, gets the
  // same answer.
  async #takeOffer(sdp, round) {
    if (sdp === this.#taken && this.#answer) {
      this.#hooks.send(this.#answer);
      return;
    }
    this.#ignoring = !this.#polite && (this.#meets || this.pc.signalingState === 'have-local-offer');
    if (this.#ignoring) return;
    this.#taken = sdp;
    this.#answer = null;
    await this.pc.setRemoteDescription({ type: 'offer', sdp }); // takes an offer of ours back
    this.#tried();
    await this.#openBothWays();
    await this.#addEarly();
    await this.pc.setLocalDescription();
    this.#answer = { ...this.#description(), round };
    this.#hooks.send(this.#answer);
  }

  // #takeAnswer takes the answer to our last offer; round says which it is about, where
  // the other knows of rounds.
  async #takeAnswer(sdp, round) {
    if (this.pc.signalingState !== 'have-local-offer') return;
    if (round !== undefined && round !== this.#offer.round) return;
    await this.pc.setRemoteDescription({ type: 'answer', sdp });
    await this.#addEarly();
  }

  async #takeCandidates(candidates) {
    for (const candidate of candidates) {
      if (this.pc.remoteDescription) await this.#addCandidate(candidate);
      else this.#early.push(candidate);
    }
  }

  async #addEarly() {
    for (const candidate of this.#early.splice(0)) await this.#addCandidate(candidate);
  }

  async #addCandidate(candidate) {
    try {
      await this.pc.addIceCandidate(candidate);
    } catch (error) {
      if (this.#ignoring || this.pc.signalingState === 'closed') return;
      console.warn('icebox: candidate', error); // the others may do
    }
  }

  // #openBothWays answers what the other page has opened with our tracks.
  async #openBothWays() {
    for (const transceiver of this.pc.getTransceivers()) {
      if (transceiver.direction !== 'recvonly') continue;
      transceiver.direction = 'sendrecv';
      transceiver.sender.setStreams?.(this.#outgoing);
      await transceiver.sender.replaceTrack(this.#track(transceiver.receiver.track.kind));
    }
  }

  async #replaceTracks() {
    for (const { sender, receiver, direction } of this.pc.getTransceivers()) {
      if (direction === 'sendrecv') await sender.replaceTrack(this.#track(receiver.track.kind));
    }
  }

  #description() {
    const { type, sdp } = this.pc.localDescription;
    return { type, sdp, ...this.#mark };
  }

  // #mark names the connection in a message; the first is what has no name.
  get #mark() {
    return this.generation ? { generation: this.generation } : {};
  }

  #track(kind) {
    return this.#media?.getTracks().find((track) => track.kind === kind) ?? null;
  }

  #gathered(candidate) {
    if (this.#found.push(candidate.toJSON()) > 1) return;
    setTimeout(() => {
      const candidates = this.#found.splice(0);
      if (this.pc.signalingState !== 'closed') this.#hooks.send({ type: 'candidates', candidates, ...this.#mark });
    }, GATHERING);
  }

  // #received adds a track to what the other sends, video once its first picture comes:
  // until then Chromium would play no sound of the stream either, and who has a
  // microphone alone never sends one.
  #received(track) {
    if (track.kind === 'video' && track.muted) {
      track.onunmute = () => this.#received(track);
      return;
    }
    this.stream ??= new MediaStream();
    this.stream.addTrack(track); // once, however often
    this.#hooks.change();
  }

  #changed() {
    this.#stateSince = performance.now();
    if (this.state === 'connected') this.#wasConnected = true;
    this.#hooks.change();
  }
}
