import assert from 'node:assert/strict';
import test from 'node:test';
import { socketProblem } from './assets/trouble.js';

const IPHONE = { userAgent: 'Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X)', maxTouchPoints: 5 };
const IPAD = { userAgent: 'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)', maxTouchPoints: 5 };
const MAC = { ...IPAD, maxTouchPoints: 0 };
const ANDROID = { userAgent: 'Mozilla/5.0 (Linux; Android 14)', maxTouchPoints: 5 };

// on is what is said on a device whose page came by protocol, where the box answers.
function on(device, protocol = 'https:') {
  Object.defineProperty(globalThis, 'navigator', { value: device, configurable: true });
  globalThis.location = { protocol };
  globalThis.fetch = async () => {};
  return socketProblem({ code: 1006, opened: false });
}

test('a socket that never opens is the certificate on an iPhone, and elsewhere a proxy', async () => {
  for (const device of [IPHONE, IPAD]) {
    assert.equal(await on(device), 'socket.certificate');
    assert.equal(await on(device, 'http:'), 'socket.blocked');
  }
  for (const device of [MAC, ANDROID]) assert.equal(await on(device), 'socket.blocked');
});

test('what is known of the end of a socket is said', async () => {
  assert.equal(await socketProblem({ code: 1001, opened: true }), 'socket.restart');
  assert.equal(await socketProblem({ code: 1006, opened: true }), 'socket.lost');
  globalThis.fetch = async () => { throw new TypeError('failed'); };
  assert.equal(await socketProblem({ code: 1006, opened: false }), 'problem.unreachable');
});
