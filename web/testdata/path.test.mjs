import assert from 'node:assert/strict';
import test from 'node:test';
import { figures, pathWords, rate, selectedPath } from './assets/path.js';

const candidates = (local, remote) => [
  { id: 'l', type: 'local-candidate', protocol: 'udp', ...local },
  { id: 'r', type: 'remote-candidate', protocol: 'udp', ...remote },
];
const pair = (fields) => ({
  id: 'p', type: 'candidate-pair', localCandidateId: 'l', remoteCandidateId: 'r',
  bytesSent: 100, bytesReceived: 200, currentRoundTripTime: 0.0234, timestamp: 1000, ...fields,
});
const transport = { id: 't', type: 'transport', selectedCandidatePairId: 'p' };
const report = (...entries) => new Map(entries.flat().map((e) => [e.id, e]));

test('the farther end names the path', () => {
  for (const [local, remote, kind, protocol, key] of [
    [{ candidateType: 'host' }, { candidateType: 'host' }, 'host', 'udp', 'path.near'],
    [{ candidateType: 'host' }, { candidateType: 'srflx' }, 'srflx', 'udp', 'path.nat'],
    [{ candidateType: 'prflx' }, { candidateType: 'host' }, 'prflx', 'udp', 'path.nat'],
    [{ candidateType: 'srflx' }, { candidateType: 'relay' }, 'relay', 'udp', 'path.relay'],
    [{ candidateType: 'relay', relayProtocol: 'tcp' }, { candidateType: 'srflx' }, 'relay', 'tcp', 'path.relay'],
    [{ candidateType: 'relay', relayProtocol: 'tls' }, { candidateType: 'relay' }, 'relay', 'tls', 'path.relay'],
    [{ candidateType: 'host', protocol: 'tcp' }, { candidateType: 'host' }, 'host', 'tcp', 'path.near'],
  ]) {
    const path = selectedPath(report(candidates(local, remote), pair(), transport));
    assert.deepEqual([path.kind, path.protocol, path.local, path.remote],
      [kind, protocol, local.candidateType, remote.candidateType]);
    assert.deepEqual(pathWords(path), { key, values: { protocol: protocol.toUpperCase() } });
  }
});

test('one network is what two local addresses are of', () => {
  for (const [address, near] of [
    ['10.1.2.3', true], ['192.168.1.2', true], ['172.16.0.1', true], ['172.31.0.1', true], ['169.254.1.1', true],
    ['fd00:1::2', true], ['fc12::1', true], ['fe80::1', true], ['FEBF::1', true],
    ['7a4c-1.local', true], ['', true], [undefined, true], // hidden
    ['100.64.0.1', false], ['172.32.0.1', false], ['172.1.0.1', false], ['192.169.0.1', false], ['203.0.113.9', false],
    ['2001:db8::1', false], ['fec0::1', false], ['ff02::1', false],
  ]) {
    for (const [a, b] of [[address, '192.168.1.9'], ['', address], [address, address]]) {
      const path = selectedPath(report(candidates({ candidateType: 'host', address: a }, { candidateType: 'host', address: b }), pair(), transport));
      assert.equal(path.near, near, `${a} ${b}`);
      assert.equal(pathWords(path).key, near ? 'path.near' : 'path.host');
    }
  }
});

test('a pair is found without a transport entry', () => {
  const ends = candidates({ candidateType: 'host' }, { candidateType: 'host' });
  const losing = { ...pair({ nominated: true, state: 'succeeded' }), id: 'q', localCandidateId: 'x' };
  assert.equal(selectedPath(report(ends, losing, pair({ selected: true }))).kind, 'host');
  assert.equal(selectedPath(report(ends, pair({ nominated: true, state: 'succeeded' }))).kind, 'host');
  assert.equal(selectedPath(report(ends, pair({ state: 'in-progress' }))), null);
  assert.equal(selectedPath(report(pair({ selected: true }))), null);
  assert.equal(selectedPath(new Map()), null);
});

test('figures', () => {
  const at = (bytes, ms) => ({ bytes, at: ms });
  assert.equal(rate(at(0, 0), at(125_000, 1000)), 1_000_000);
  assert.equal(rate(undefined, at(1, 1)), undefined);
  assert.equal(rate(at(5, 1), at(1, 2)), undefined); // another pair
  assert.equal(figures({ rtt: 0.0234 }, 1_234_000), '23 ms · 1.2 Mbit/s');
  assert.equal(figures({ rtt: 0 }, 64_000), '1 ms · 64 kbit/s');
  assert.equal(figures({}, undefined), '');
});
