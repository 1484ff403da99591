import assert from 'node:assert/strict';
import test from 'node:test';
import * as clock from './clock.mjs';

globalThis.document = { hidden: false, addEventListener() {} };
const asked = []; // functions that grant
let held = 0;
const request = () => new Promise((resolve) => asked.push(() => {
  held++;
  resolve({ addEventListener() {}, release: () => held-- });
}));
Object.defineProperty(globalThis, 'navigator', { value: { wakeLock: { request } }, configurable: true });
const { stayAwake } = await import('./assets/wake.js');

test('a lock that comes after the call has ended is given back, and one is enough', async () => {
  stayAwake(true);
  stayAwake(false);
  asked.shift()();
  await clock.settle();
  assert.equal(held, 0);
  stayAwake(true);
  stayAwake(true);
  for (const grant of asked.splice(0)) grant();
  await clock.settle();
  assert.equal(held, 1);
  stayAwake(false);
  assert.equal(held, 0);
});
