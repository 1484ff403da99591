// A room of pages without browsers: sockets that reach each other, and
// connections that only keep the states of their negotiation (WebRTC 4.3).

export class FakePC {
  signalingState = 'stable';
  connectionState = 'new';
  localDescription = null;
  remoteDescription = null;
  candidates = [];
  restarts = 0;
  #senders = [];
  #transceivers = [];

  addTrack(track, stream) {
    this.#senders.push({ track, stream });
    this.#needed();
  }

  addTransceiver(kind) {
    this.#transceivers.push({ sender: { track: null }, kind });
    this.#needed();
  }

  getSenders() { return this.#senders; }
  getTransceivers() { return [...this.#senders.map((sender) => ({ sender })), ...this.#transceivers]; }
  addEventListener() {}
  restartIce() { this.restarts++; }
  setConfiguration(config) { this.config = config; }

  async setLocalDescription() {
    await null;
    const type = this.signalingState === 'have-remote-offer' ? 'answer' : 'offer';
    this.localDescription = { type, sdp: `${type} ${this.restarts}` };
    this.signalingState = type === 'answer' ? 'stable' : 'have-local-offer';
  }

  async setRemoteDescription({ type, sdp }) {
    await null;
    if (type === 'answer' && this.signalingState !== 'have-local-offer') throw new Error(`answer in ${this.signalingState}`);
    this.remoteDescription = { type, sdp };
    this.signalingState = type === 'answer' ? 'stable' : 'have-remote-offer';
  }

  async addIceCandidate(candidate) {
    await null;
    if (!this.remoteDescription) throw new Error('candidate before the description');
    this.candidates.push(candidate);
  }

  gather(candidate) {
    this.onicecandidate({ candidate: { candidate, toJSON: () => ({ candidate }) } });
  }

  become(state) {
    this.connectionState = state;
    this.onconnectionstatechange?.();
  }

  close() { this.signalingState = 'closed'; }

  #needed() {
    if (this.needed) return;
    this.needed = true;
    queueMicrotask(() => {
      this.needed = false;
      if (this.signalingState === 'stable') this.onnegotiationneeded?.();
    });
  }
}

export class Room {
  sockets = [];
  said = []; // every message

  socket() {
    const socket = {
      open: true,
      silence: 0,
      renewals: 0,
      renew: () => socket.renewals++,
      send: (message) => {
        if (!socket.open) return false;
        const text = JSON.stringify(message);
        this.said.push(message);
        for (const other of this.sockets) {
          if (other !== socket && other.open) queueMicrotask(() => other.onmessage(JSON.parse(text)));
        }
        return true;
      },
    };
    this.sockets.push(socket);
    return socket;
  }

  types() { return this.said.map(({ type }) => type); }
}

export function media() {
  const tracks = [{ kind: 'audio' }, { kind: 'video' }];
  return { getTracks: () => tracks };
}

export function install() {
  globalThis.RTCPeerConnection = FakePC;
  globalThis.MediaStream = class {};
  globalThis.addEventListener = () => {};
  console.warn = (...words) => { throw new Error(words.join(' ')); };
}
