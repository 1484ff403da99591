import assert from 'node:assert/strict';
import test from 'node:test';
import { Backoff } from './assets/backoff.js';
import { basic, renewal } from './assets/ice.js';
import { mediaProblem } from './assets/media.js';

Object.defineProperty(globalThis, 'navigator', { value: { languages: ['fr', 'zh-TW'] }, configurable: true });
const { choose, t } = await import('./assets/lang.js');

test('backoff doubles to its limit, less a random part', () => {
  const longest = new Backoff(500, 15_000, () => 1);
  assert.deepEqual([1, 2, 3, 4, 5, 6, 7].map(() => longest.next()), [500, 1000, 2000, 4000, 8000, 15_000, 15_000]);
  longest.reset();
  assert.equal(longest.next(), 500);
  assert.equal(new Backoff(500, 15_000, () => 0).next(), 250);
  assert.equal(longest.next(5000), 5000);
});

test('basic is UTF-8', () => {
  assert.equal(basic('admin', '123456'), 'Basic YWRtaW46MTIzNDU2');
  assert.equal(basic('用户', '☃'), `Basic ${Buffer.from('用户:☃').toString('base64')}`);
});

test('credentials are renewed before they end', () => {
  assert.equal(renewal(43_200), 32_400_000);
  assert.equal(renewal(1), 30_000);
  assert.equal(renewal(1e9), 86_400_000); // setTimeout and patience both have limits
});

test('the language is the picked one, else the first that is there', () => {
  assert.equal(choose(null, ['zh-CN', 'en']), 'zh');
  assert.equal(choose(null, ['fr', 'EN-gb', 'zh']), 'en');
  assert.equal(choose(null, ['fr']), 'en');
  assert.equal(choose(null, []), 'en');
  assert.equal(choose('en', ['zh']), 'en');
  assert.equal(choose('toString', ['zh']), 'zh');
  assert.equal(t('status.ready', { n: 2 }), '这里还有 2 人。请点“呼叫”。');
});

test('each media error has its sentence', () => {
  const of = (name, screen) => mediaProblem({ name }, screen);
  assert.equal(of('NotAllowedError'), 'problem.denied');
  assert.equal(of('NotAllowedError', true), 'problem.screen');
  assert.equal(of('NotFoundError'), 'problem.nocamera');
  assert.equal(of('NotFoundError', true), 'problem.noscreen');
  assert.equal(of('NotReadableError'), 'problem.busy');
  assert.equal(of('InsecureContext'), 'problem.insecure');
  assert.equal(of('TypeError'), 'problem.media');
});
