// A call: the pages of one room, and a Peer to each that this page talks to.
//
// The box sends what a page says to all other pages of the room, as it is. So
// every message says which call it belongs to, who it is from, and who it is to
// where that is one page:
//
//   join, here   {role}              I am here (join: just came, say so too)
//   leave                            I am gone
//   offer        {sdp, round}        \
//   answer       {sdp, round}         > to one page, with sid and rsid: the names
//   ice          {candidates}        /  of this connection at both ends
//   bye          {reason}            this connection is over
//
// A first offer has no rsid. One with an rsid that is unknown here is answered
// with bye: its sender then starts over.

import { Peer } from './peer.js';
import { randomId } from './room.js';

const PRESENCE = 25_000; // ms between two here
const FORGOTTEN = 100_000; // ms without a word from a page
const GONE = 45_000; // ms of trouble and silence before a connection is given up
const TROUBLE = 5_000; // ms that a connection may be in trouble with nothing suspected
const CROWD = 256; // pages, more are not remembered
const STAYED = 5_000; // ms after which a page that was to be left is still there

// For how many ms the box may be silent before its socket is taken for dead: a call is
// in trouble, others are known, who say here so often, or nobody is.
const SILENCE = { trouble: 10_000, others: PRESENCE + 10_000, alone: 60_000 };

export class Call {
  onchange = () => {}; // something to be seen has changed
  onleft = () => {}; // a page that we were connected to has left

  peers = new Map(); // id -> Peer
  connections = new Map(); // id -> RTCPeerConnection, for whoever debugs
  others = new Map(); // id -> {role, heard}
  calling = false; // both: whether whoever is there is called

  #kind;
  #role;
  #self = randomId();
  #signal;
  #config;
  #media;
  #declined = new Set(); // who hung up, until called again
  #announceTimer = 0;

  // kind is the name of the page, role both, send or watch, config that of
  // RTCPeerConnection, media what is sent or null.
  constructor({ kind, role, signal, config, media }) {
    this.#kind = kind;
    this.#role = role;
    this.#signal = signal;
    this.#config = config;
    this.#media = media;
    signal.onopen = () => this.#joined();
    signal.onmessage = (message) => this.#message(message);
    setInterval(() => this.#tick(performance.now()), 1_000);
    setInterval(() => this.#announce('here'), PRESENCE);
    addEventListener('beforeunload', () => this.#leaving());
    addEventListener('pagehide', () => this.#send('leave'));
  }

  // start calls everybody who is there, and who comes later.
  start() {
    this.calling = true;
    this.#declined.clear();
    this.#dialAll();
    this.onchange();
  }

  // hangUp ends every connection; the page stays in the room.
  hangUp() {
    this.calling = false;
    for (const peer of [...this.peers.values()]) {
      this.#sendTo(peer, 'bye', { reason: 'hangup' });
      this.#drop(peer.id);
    }
    this.onchange();
  }

  // setMedia changes what is sent. A sender without media calls nobody.
  setMedia(media) {
    this.#media = media;
    for (const peer of this.peers.values()) peer.setMedia(media);
    this.#dialAll();
  }

  // setConfig is for connections to come and the next restart of those there are.
  setConfig(config) {
    this.#config = config;
    for (const peer of this.peers.values()) peer.pc.setConfiguration(config);
  }

  #joined() {
    this.#announce('join');
    for (const peer of this.peers.values()) peer.rejoined();
    this.onchange();
  }

  // #leaving says so early: Firefox has closed the socket by the time of pagehide. Whoever
  // stays after all, since what was to be opened was no page, say, begins anew.
  #leaving() {
    if (!this.#send('leave')) return;
    setTimeout(() => {
      for (const id of [...this.peers.keys()]) this.#drop(id);
      this.#announce('join');
      this.onchange();
    }, STAYED);
  }

  #announce(type) {
    this.#send(type, { role: this.#role });
  }

  // #announceSoon answers many that join at a time with one here.
  #announceSoon() {
    clearTimeout(this.#announceTimer);
    this.#announceTimer = setTimeout(() => this.#announce('here'), 50 + Math.random() * 150);
  }

  #send(type, fields = {}) {
    return this.#signal.send({ call: this.#kind, type, from: this.#self, ...fields });
  }

  #sendTo({ id, sid, rsid }, type, fields) {
    return this.#send(type, { to: id, sid, ...(rsid && { rsid }), ...fields });
  }

  #message(m) {
    const { call, type, from, to } = m;
    if (call !== this.#kind || typeof from !== 'string' || from === this.#self) return;
    if (to !== undefined && to !== this.#self) return;
    if (type === 'leave') return this.#left(from);
    const known = this.others.get(from);
    if (!known && this.others.size >= CROWD) return;
    this.others.set(from, { role: m.role ?? known?.role, heard: performance.now() });
    switch (type) {
      case 'join':
        this.#announceSoon();
        this.peers.get(from)?.rejoined();
        this.#dial(from);
        break;
      case 'here':
        this.#dial(from);
        break;
      case 'bye':
        this.#over(from, m);
        break;
      case 'offer':
      case 'answer':
      case 'ice':
        this.#negotiate(from, m);
    }
    if (!known || type === 'bye') this.onchange();
  }

  #left(id) {
    const wasConnected = this.peers.get(id)?.wasConnected;
    this.others.delete(id);
    this.#drop(id);
    if (wasConnected) this.onleft();
    this.onchange();
  }

  // #over takes a bye: the other page hung up, or does not know the connection.
  #over(id, { rsid, reason }) {
    const peer = this.peers.get(id);
    if (!peer || peer.sid !== rsid) return;
    this.#drop(id);
    if (reason !== 'hangup') return this.#dial(id);
    this.#declined.add(id);
    if (this.peers.size === 0) this.calling = false;
    this.onleft();
  }

  #negotiate(id, m) {
    let peer = this.peers.get(id);
    if (m.rsid !== undefined) {
      if (peer?.sid === m.rsid) return this.#hear(peer, m);
      const reason = this.#role === 'both' && !this.calling ? 'hangup' : 'stale';
      if (m.type === 'offer') this.#sendTo({ id, sid: '', rsid: m.sid }, 'bye', { reason });
      return;
    }
    if (peer && (peer.rsid === '' || peer.rsid === m.sid)) return this.#hear(peer, m);
    if (m.type !== 'offer' || !this.#accepts(id)) return;
    this.#drop(id); // the other page has started over
    peer = this.#add(id);
    peer.setMedia(this.#media);
    this.#hear(peer, m);
    this.#joinIn(id);
  }

  #hear(peer, m) {
    peer.rsid = m.sid;
    peer.receive(m);
  }

  // #joinIn makes who is called part of the call: the others are called too.
  #joinIn(id) {
    this.#declined.delete(id);
    if (this.#role !== 'both' || this.calling) return;
    this.calling = true;
    setTimeout(() => this.#dialAll(), 300 + Math.random() * 500);
  }

  // #accepts says whether a first offer from id is taken.
  #accepts(id) {
    const role = this.others.get(id)?.role;
    return this.#role === 'both' || (this.#role === 'watch' && role !== 'watch');
  }

  #dialAll() {
    for (const id of this.others.keys()) this.#dial(id);
  }

  #dial(id) {
    const role = this.others.get(id)?.role;
    const wanted = this.#role === 'both'
      ? this.calling && role === 'both' && !this.#declined.has(id)
      : this.#role === 'send' && this.#media && role === 'watch';
    if (wanted && !this.peers.has(id)) this.#add(id).dial(this.#media);
  }

  #add(id) {
    const peer = new Peer(this.#self, id, this.#config, {
      send: (type, fields) => this.#sendTo(peer, type, fields),
      change: () => this.onchange(),
    });
    this.peers.set(id, peer);
    this.connections.set(id, peer.pc);
    return peer;
  }

  #drop(id) {
    this.peers.get(id)?.close();
    this.peers.delete(id);
    this.connections.delete(id);
  }

  #tick(now) {
    if (!this.#signal.open) return; // nothing can be said, and nobody heard
    if (this.#signal.silence > SILENCE[this.#company(now)]) this.#signal.renew();
    for (const peer of [...this.peers.values()]) {
      const heard = this.others.get(peer.id)?.heard ?? 0;
      if (peer.troubleSince && now - Math.max(peer.troubleSince, heard) > GONE) {
        this.#left(peer.id);
      } else {
        peer.tick(now);
      }
    }
    for (const [id, { heard }] of this.others) {
      if (now - heard > FORGOTTEN && !this.peers.has(id)) this.#left(id);
    }
  }

  #company(now) {
    const troubled = ({ troubleSince }) => troubleSince && now - troubleSince > TROUBLE;
    if ([...this.peers.values()].some(troubled)) return 'trouble';
    return this.others.size ? 'others' : 'alone';
  }
}
