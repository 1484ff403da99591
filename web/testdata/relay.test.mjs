import assert from 'node:assert/strict';
import test from 'node:test';
import { missingRelay, turnPort, watchRelay } from './assets/relay.js';
import { callWords } from './assets/words.js';

const servers = [{ urls: ['stun:h:1'] }, { urls: ['turns:h:3002?transport=tcp', 'turn:h:4000?transport=udp'] }];

class PC extends EventTarget {
  getConfiguration() { return { iceServers: servers }; }
  found(candidate) {
    this.dispatchEvent(Object.assign(new Event('icecandidate'), { candidate: candidate && { candidate } }));
  }
  failed(url, errorCode) {
    this.dispatchEvent(Object.assign(new Event('icecandidateerror'), { url, errorCode }));
  }
}

test('the port is that of turn, else of turns', () => {
  for (const [urls, port] of [
    [['turn:h'], '3478'], [['turns:h?transport=tcp'], '5349'], ['turn:[2001:db8::1]?transport=udp', '3478'],
    ['turn:[2001:db8::1]:99', '99'], [['turns:h:443', 'turn:h:1?transport=tcp'], '1'], [['turns:h:443'], '443'], ['stun:h:1', ''],
  ]) assert.equal(turnPort([{ urls }]), port, urls);
});

test('a relay is missing where none of the connections has got one', () => {
  const [a, b] = [new PC(), new PC()];
  for (const pc of [a, b]) {
    watchRelay(pc);
    for (const type of ['host', 'srflx']) pc.found(`candidate:1 1 udp 1 192.0.2.1 9 typ ${type} generation 0`);
    pc.found(null);
  }
  assert.equal(missingRelay([a, b]), '4000');
  b.found('candidate:1 1 udp 1 192.0.2.1 9 typ relay raddr 0.0.0.0 rport 0');
  assert.equal(missingRelay([a, b]), '');
  assert.equal(missingRelay([a]), '4000');
  assert.equal(missingRelay([]), '');
});

test('a port is not to blame where TURN answers, with an error', () => {
  const pc = new PC();
  watchRelay(pc);
  pc.failed('turn:h:4000?transport=udp', 701);
  pc.failed('stun:h:1', 400);
  assert.equal(missingRelay([pc]), '4000');
  pc.failed('turn:h:4000?transport=tcp', 486);
  assert.equal(missingRelay([pc]), '');
});

test('a call that failed without its relay says so', () => {
  const said = (facts) => callWords({ peers: new Map() }, 'failed', { connected: true, ...facts });
  assert.deepEqual(said({ relayPort: '4000' }), ['status.failed.relay', { port: '4000' }]);
  assert.deepEqual(said({ relayPort: '' }), ['status.failed', {}]);
  assert.deepEqual(said({ relayPort: '', direct: true }), ['status.failed.direct', {}]);
});
