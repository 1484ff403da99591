import assert from 'node:assert/strict';
import test from 'node:test';
import { linkTo, randomId, socketURL } from './assets/room.js';

test('a random id is a room name that is not made twice', () => {
  const made = new Set(Array.from({ length: 1000 }, randomId));
  assert.equal(made.size, 1000);
  for (const id of made) assert.match(id, /^[A-Za-z0-9_-]{22}$/);
});

test('the socket stands beside the page', () => {
  for (const [page, want] of [
    ['https://home.example:3002/1cs1cs?role=send#x', 'wss://home.example:3002/seed/room'],
    ['https://home.example/call/1cs1cs', 'wss://home.example/call/seed/room'],
    ['http://[2001:db8::1]:3002/1c1s', 'ws://[2001:db8::1]:3002/seed/room'],
  ]) assert.equal(socketURL(page, 'room'), want);
});

test('a link keeps what it is not told to change', () => {
  const page = 'https://h/1c1s?via=relay&role=send#old';
  assert.equal(linkTo(page, 'new'), 'https://h/1c1s?via=relay&role=send#new');
  assert.equal(linkTo(page, 'new', 'watch'), 'https://h/1c1s?via=relay&role=watch#new');
  assert.equal(linkTo(page, 'new', null), 'https://h/1c1s?via=relay#new');
});
