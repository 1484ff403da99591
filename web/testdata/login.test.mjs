import assert from 'node:assert/strict';
import test from 'node:test';
import * as clock from './clock.mjs';

clock.install();
const kept = new Map();
globalThis.window = {
  sessionStorage: {
    getItem: (key) => kept.get(key) ?? null, setItem: (key, text) => kept.set(key, text), removeItem: (key) => kept.delete(key),
  },
};
let asked = 0;
let status = 200;
globalThis.fetch = async () => {
  asked++;
  return { status, headers: new Map(), json: async () => ({ iceServers: [asked], ttl: 3600 }) };
};
const { Login } = await import('./assets/login.js');

async function pass(ms) {
  for (let i = 0; i < ms; i += 10_000) {
    clock.tick(10_000);
    await clock.settle();
  }
}

test('a sign-in that is refused later is said once, and the relay can be signed in for', async () => {
  const login = new Login({ show() {}, hide() {}, answer: async () => ({ user: 'a', password: 'b' }) });
  const told = [];
  login.onproblem = (key) => told.push(key);
  login.onservers = (servers) => told.push(servers);
  assert.deepEqual(await login.servers(), [1]);
  await pass(2_710_000); // three quarters of the hour
  assert.deepEqual(told, [[2]]);
  status = 500;
  await pass(2_790_000);
  assert.ok(asked > 3);
  assert.deepEqual([told.length, login.direct], [1, false]); // that may pass
  status = 401;
  await pass(100_000);
  const before = asked;
  await pass(10_000_000);
  assert.equal(asked, before);
  assert.deepEqual([told.slice(1), login.direct], [['login.wrong'], true]);
});

test('credentials are renewed by who has signed in, remembered or not, and by a guest who once went without', async () => {
  const asked = [];
  let signedIn = false; // whoever has not, is a guest
  globalThis.fetch = async (_, { headers }) => {
    asked.push(headers.Authorization);
    const status = signedIn && !headers.Authorization ? 401 : 200;
    return { status, headers: new Map(), json: async () => ({ iceServers: [], ttl: 3600 }) };
  };
  kept.clear();
  kept.set('icebox.login', '{"direct":true}');
  await new Login({ hide() {} }).servers();
  await pass(2_710_000);
  assert.deepEqual(asked.splice(0), [undefined, undefined]);
  kept.clear();
  window.sessionStorage.setItem = () => { throw new Error('refused'); };
  signedIn = true;
  await new Login({ show() {}, hide() {}, answer: async () => ({ user: 'a', password: 'b' }) }).servers();
  await pass(2_710_000);
  assert.deepEqual(asked.filter((login) => login !== undefined).length, 2);
});
