'use strict';

// Checks what PROTOCOL.md promises about rooms, as far as a client sees it:
//
//   node room-check.js wss://HOST:3002/ws/ROOM INVITE      or
//   node room-check.js wss://HOST:3002 INVITE ROOM         or
//   node room-check.js wss://HOST:3002 https://HOST:3002/r/ROOM#INVITE
//
// Nobody else may be in the room, and the server's limits must be those of the document. With
// NODE_TLS_REJECT_UNAUTHORIZED=0 the certificate may be a self-signed one.

const https = require('node:https');
const http = require('node:http');
const WebSocket = require('ws');
const { RoomClient } = require('./room-client.js');

const WAIT = 10000; // ms for an answer
const DEADLINE = 50000;
const TLS = { rejectUnauthorized: process.env.NODE_TLS_REJECT_UNAUTHORIZED !== '0' };
const SERVER_TYPES = ['welcome', 'peer-joined', 'peer-left', 'ice-servers', 'error'];
const NOBODY = 'CCCCCCCCCCCCCCCC';

let base, room, invite;
let failed = false;
let peers = []; // of the running section
let clients = [];
const gone = new Set(); // ids of earlier sections: that they leave is no news

// ---- small tools ----

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const show = (value) => {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text && text.length > 300 ? `${text.slice(0, 300)}...` : text;
};

function ensure(condition, why) {
  if (!condition) throw new Error(why);
}

function same(what, got, want) {
  ensure(JSON.stringify(got) === JSON.stringify(want), `${what} is ${show(got)}, not ${show(want)}`);
}

async function until(what, condition, ms = WAIT) {
  for (const end = Date.now() + ms; !condition(); await sleep(10)) ensure(Date.now() < end, `waited in vain for ${what}`);
}

async function check(name, run) {
  try {
    await run();
    console.log(`ok ${name}`);
  } catch (error) {
    failed = true;
    console.log(`FAIL ${name}: ${error.message.replace(/\s+/g, ' ')}`);
    await sleep(200); // let what is on its way arrive, so that the next check begins anew
    for (const peer of peers) {
      peer.inbox = [];
      peer.lastSeq = NaN; // any may be next
    }
  }
}

// ---- a peer without any help, to see each byte ----

class Peer {
  constructor(query, name = room) {
    this.inbox = [];
    this.lastSeq = 0;
    this.sent = 0;
    this.end = null;
    const address = `${base}/ws/${name}${query ? `?${query}` : ''}`;
    this.ws = new WebSocket(address, { ...TLS, handshakeTimeout: 5000 });
    this.ws.on('message', (data, binary) => this.inbox.push({ text: data.toString(), binary }));
    this.ws.on('error', (error) => { this.trouble ||= error.message; });
    this.ws.on('close', (code, reason) => { this.end = { code, reason: reason.toString() }; });
    peers.push(this);
  }

  // The next message, without peers of earlier sections; seq must have no gap.
  async next() {
    await until(`a message (${this.trouble || show(this.end) || 'the socket is open'})`, () => this.inbox.length || this.end);
    ensure(this.inbox.length, `the socket ended: ${show(this.end)} ${this.trouble || ''}`);
    const { text, binary } = this.inbox.shift();
    ensure(!binary, 'a binary message came');
    const message = JSON.parse(text);
    this.text = text;
    if (message.type !== 'welcome' && message.type !== 'error') {
      ensure(message.seq === this.lastSeq + 1 || Number.isNaN(this.lastSeq), `seq ${message.seq} after ${this.lastSeq}: ${show(text)}`);
      this.lastSeq = message.seq;
    } else {
      ensure(!('seq' in message), `${message.type} has a seq`);
    }
    if (message.type === 'peer-left' && gone.has(message.id)) return this.next();
    return message;
  }

  async expect(what, want) {
    const got = await this.next();
    for (const key of Object.keys(want)) same(`${what}: ${key} of ${show(this.text)}`, got[key], want[key]);
    return got;
  }

  send(text) {
    this.sent++;
    this.ws.send(typeof text === 'string' ? text : JSON.stringify(text));
  }

  // A message to itself comes back at once, and nothing is before it: everything earlier has been seen.
  async nothing(what) {
    const mark = `mark-${Math.random()}`;
    this.send({ type: mark, to: this.id });
    const got = await this.next();
    ensure(got.type === mark, `${what}, but there came ${show(this.text)}`);
  }

  async refused(code) {
    const error = await this.expect('error', { type: 'error', code, received: this.sent });
    ensure(typeof error.message === 'string' && error.message, 'the error has no message');
  }

  async ended(code, reason) {
    await until(`close ${code} ${reason}`, () => this.end, 3000);
    same('close', this.end, { code, reason });
  }

  // An error with the reason as its code, and then the close.
  async failed(code, reason) {
    const error = await this.expect('error before the close', { type: 'error', code: reason });
    ensure(!('received' in error), 'the error has a received');
    await this.ended(code, reason);
  }

  cut() {
    this.ws.terminate(); // destroys the TCP connection
  }
}

async function enter() {
  const peer = new Peer(`invite=${encodeURIComponent(invite)}`);
  return welcomed(peer);
}

async function comeBack(old, seq = old.lastSeq || 0) {
  const peer = new Peer(`resume=${encodeURIComponent(old.welcome.resume)}&seq=${seq}`);
  peer.lastSeq = seq;
  await welcomed(peer);
  peer.sent = peer.welcome.received;
  return peer;
}

// A peer that was cut off would stay in the room for a while; where it has come back, this finds nothing.
async function sendAway(old) {
  const peer = new Peer(`resume=${encodeURIComponent(old.welcome.resume)}&seq=${old.lastSeq || 0}`);
  await until('an answer', () => peer.inbox.length || peer.end, 1000).catch(() => {});
  peer.ws.close(1000);
  await until('the end', () => peer.end, 1000).catch(() => {});
}

async function welcomed(peer) {
  peer.welcome = await peer.next();
  ensure(peer.welcome.type === 'welcome', `first came ${show(peer.text)}`);
  peer.id = peer.welcome.id;
  peer.others = peer.welcome.peers.length;
  if (peer === peers[0]) peer.welcome.peers.forEach((id) => gone.add(id)); // of an earlier run, on their way out
  peer.welcome.peers = peer.welcome.peers.filter((id) => !gone.has(id));
  return peer;
}

// Three peers that know of each other.
async function three() {
  const a = await enter();
  const b = await enter();
  const c = await enter();
  await a.expect('join', { type: 'peer-joined', id: b.id });
  await a.expect('join', { type: 'peer-joined', id: c.id });
  await b.expect('join', { type: 'peer-joined', id: c.id });
  return [a, b, c];
}

async function section(run) {
  try {
    await run();
  } catch (error) {
    await check('section', () => { throw error; });
  }
  for (const client of clients) client.leave();
  for (const peer of peers) if (peer.ws.readyState === WebSocket.OPEN) peer.ws.close(1000);
  await until('the end of the sockets', () => peers.every((peer) => peer.ws.readyState === WebSocket.CLOSED), 1000).catch(() => {});
  for (const peer of peers) peer.cut();
  await Promise.all(peers.filter((peer) => peer.end?.code === 1006 && peer.welcome).map(sendAway));
  await sleep(100); // for the server to see it
  for (const { id } of [...peers, ...clients]) gone.add(id);
  peers = [];
  clients = [];
}

// ---- entering ----

function checkWelcome(peer, others) {
  const { welcome } = peer;
  ensure(/^[A-Za-z0-9]{16}$/.test(welcome.id), `id ${welcome.id}`);
  same('room', welcome.room, room);
  same('peers', welcome.peers, others);
  ensure(Number.isInteger(welcome.ttl) && welcome.ttl >= 0, `ttl ${welcome.ttl}`);
  ensure(typeof welcome.resume === 'string' && welcome.resume.length > 16, `resume ${welcome.resume}`);
  same('resumed', welcome.resumed, false);
  same('received', welcome.received, 0);
}

const urlsOf = (server) => [].concat(server.urls);
const isTurn = (server) => urlsOf(server).some((url) => /^turns?:/.test(url));

function checkIceServers({ iceServers, ttl }) {
  ensure(Array.isArray(iceServers), `iceServers ${show(iceServers)}`);
  for (const server of iceServers) {
    for (const url of urlsOf(server)) ensure(/^(stuns?|turns?):./.test(url), `url ${url}`);
    if (!isTurn(server)) continue;
    ensure(server.username && typeof server.username === 'string', `username ${server.username}`);
    ensure(server.credential && typeof server.credential === 'string', `credential ${server.credential}`);
    const left = Number(server.username.split(':')[0]) - Date.now() / 1000;
    ensure(Math.abs(left - ttl) < 120, `${server.username} ends in ${left} s, ttl is ${ttl}`);
  }
  const turn = iceServers.filter(isTurn);
  ensure(turn.length > 0 && ttl > 0, `turn servers ${show(turn)}, ttl ${ttl}`);
  return turn[0].username;
}

async function entering() {
  let a, b, c;
  await check('welcome-first', async () => { a = await enter(); });
  await check('welcome-fields', () => checkWelcome(a, []));
  await check('welcome-peers-in-order', async () => {
    b = await enter();
    checkWelcome(b, [a.id]);
    c = await enter();
    checkWelcome(c, [a.id, b.id]);
    ensure(new Set([a, b, c].map((peer) => peer.id)).size === 3, 'ids are not distinct');
  });
  await check('ice-servers-with-credentials-and-ttl', () => checkIceServers(a.welcome));
  await check('credentials-are-ones-own', () => {
    const names = [a, b, c].map((peer) => checkIceServers(peer.welcome));
    ensure(new Set(names).size === 3, `usernames ${names}`);
  });
  await check('no-compression-no-subprotocol', () => same('negotiated', a.ws.extensions + a.ws.protocol, ''));
  await check('peer-joined-from-seq-1', async () => {
    const first = await a.expect('join', { seq: 1, type: 'peer-joined', id: b.id });
    ensure(!('from' in first), 'it has a from');
    await a.expect('join', { seq: 2, type: 'peer-joined', id: c.id });
    await b.expect('join', { seq: 1, type: 'peer-joined', id: c.id });
    await c.nothing('the newcomer hears nothing of itself');
  });
  await leaving(a, b, c);
}

async function leaving(a, b, c) {
  for (const [name, code] of [['1000', 1000], ['1001', 1001], ['without-code', undefined]]) {
    await check(`peer-left-at-once-close-${name}`, async () => {
      const d = await enter();
      for (const other of [a, b, c]) await other.expect('join', { type: 'peer-joined', id: d.id });
      d.ws.close(code);
      for (const other of [a, b, c]) await other.expect('leave', { type: 'peer-left', id: d.id });
      const late = new Peer(`resume=${encodeURIComponent(d.welcome.resume)}&seq=0`);
      await late.failed(4404, 'resume-lost');
      await a.nothing('nothing comes of a resume that fails');
    });
  }
}

async function refusals() {
  const attempt = async (query, code, reason, name) => {
    const peer = new Peer(query, name);
    await peer.failed(code, reason);
    ensure(!peer.inbox.length, 'something came after the error');
  };
  const broken = `${invite.slice(0, 10)}${invite[10] === 'x' ? 'y' : 'x'}${invite.slice(11)}`;
  await check('invite-missing', () => attempt('', 4401, 'invite-missing'));
  await check('invite-invalid', () => attempt('invite=nonsense', 4401, 'invite-invalid'));
  await check('invite-cut-is-invalid', () => attempt(`invite=${encodeURIComponent(invite.slice(0, -5))}`, 4401, 'invite-invalid'));
  await check('invite-changed-is-invalid', () => attempt(`invite=${encodeURIComponent(broken)}`, 4401, 'invite-invalid'));
  await check('invite-foreign', () => attempt(`invite=${encodeURIComponent(invite)}`, 4401, 'invite-foreign', `${room.slice(0, 60)}-2`));
  await check('client-ends-with-an-invalid-invite', async () => {
    const client = join('nonsense');
    await until('the end', () => client.end, 3000);
    same('end', [client.end.code, client.end.reason], [4401, 'invite-invalid']);
    ensure(client.end.message, 'no message');
  });
  await check('resume-invented', () => attempt('resume=ABCDEFGHIJKLMNOP.abcdefghijklmnop&seq=0', 4404, 'resume-lost'));
  await check('room-that-can-not-be-is-404', async () => same('status', await status(`/ws/${'x'.repeat(65)}`, true), 404));
  await check('no-upgrade-is-426', async () => same('status', await status(`/ws/${room}`, false), 426));
}

// The HTTP status of a GET, with or without an upgrade.
function status(path, upgrade) {
  const url = new URL(base.replace(/^ws/, 'http') + path);
  const headers = upgrade
    ? { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13', 'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==' }
    : {};
  const get = url.protocol === 'https:' ? https.get : http.get;
  return new Promise((resolve, reject) => {
    const request = get(url, { headers, agent: false, timeout: WAIT, ...TLS });
    request.on('response', (response) => { resolve(response.statusCode); request.destroy(); });
    request.on('upgrade', (response, socket) => { resolve(response.statusCode); socket.destroy(); });
    request.on('timeout', () => request.destroy(new Error('no answer')));
    request.on('error', reject);
  });
}

// ---- messages ----

// As they must arrive, but for seq and from.
const EXACT = {
  'order-and-spaces': '{ "z" : 1 ,\t"type" :"x",\n "a": [ 1,2 , 3 ], "10":1, "2":2 }',
  'big-numbers': '{"type":"x","n":[123456789012345678901234567890,1e400,-0,1.0,1E+2,0.1000000000000000000000000000001]}',
  'unicode-escapes': '{"type":"x","s":"\\u00e9\\u0000\\/\\ud83d\\ude00\\uD83D","\\u006b":"k"}',
  'utf-8': '{"type":"é😀","ключ":"\u2028\u007f"}',
  'escaped-key-type': '{"t\\u0079pe":"x"}',
  'keys-that-look-reserved': '{"type":"x","From":1,"SEQ":2,"id":"y","received":3,"code":4,"resume":5,"__proto__":{"a":1}}',
  'nested-is-not-looked-at': '{"type":"x","deep":{"from":1,"seq":2,"type":"welcome","a":1,"a":2}}',
  'empty-type': '{"type":""}',
};

async function exact(from, to, text) {
  from.send(text);
  await to.next();
  same('text', to.text, `{"seq":${to.lastSeq},"from":"${from.id}",${text.slice(1)}`);
}

async function messages() {
  const [a, b, c] = await three();
  await check('to-all-but-the-sender', async () => {
    a.send({ type: 'hello', n: 1 });
    await b.expect('to all', { from: a.id, type: 'hello', n: 1 });
    await c.expect('to all', { from: a.id, type: 'hello', n: 1 });
    await a.nothing('the sender gets nothing');
  });
  await check('to-one-only', async () => {
    a.send({ type: 'offer', to: b.id, sdp: 'v=0' });
    await b.expect('to one', { from: a.id, type: 'offer', to: b.id, sdp: 'v=0' });
    await c.nothing('the third gets nothing');
    await a.nothing('the sender gets nothing');
  });
  await check('to-oneself', async () => {
    a.send({ type: 'self', to: a.id });
    await a.expect('to oneself', { from: a.id, type: 'self', to: a.id });
    await b.nothing('the others get nothing');
  });
  for (const [name, text] of Object.entries(EXACT)) await check(`as-sent-${name}`, () => exact(a, b, text).finally(() => c.next()));
  await check('as-sent-to-one', () => exact(a, b, `{"k":1.50, "to": "${b.id}","type":"x"}`));
  await check('as-sent-escaped-to', async () => {
    await exact(a, b, `{"t\\u006f":"${b.id}","type":"x"}`);
    await c.nothing('the third gets nothing');
  });
  await check('as-sent-in-fragments', async () => {
    const text = '{"type":"x","é":"fragments"}';
    const bytes = Buffer.from(text);
    a.sent++;
    a.ws.send(bytes.subarray(0, 13), { fin: false, binary: false }); // in the middle of a letter
    a.ws.send(bytes.subarray(13), { fin: true, binary: false });
    await b.next();
    same('text', b.text, `{"seq":${b.lastSeq},"from":"${a.id}",${text.slice(1)}`);
    await c.next();
  });
  await check('as-sent-the-longest', async () => {
    const start = `{"type":"x","to":"${b.id}","s":"`;
    await exact(a, b, `${start}${'x'.repeat(65536 - start.length - 2)}"}`);
  });
  await check('answers-a-ping', async () => {
    let pong;
    a.ws.once('pong', (data) => { pong = data.toString(); });
    a.ws.ping('hello');
    await until('a pong', () => pong === 'hello');
  });
  await errors(a, b, c);
  await order();
}

async function errors(a, b, c) {
  const refuse = async (texts, code) => {
    for (const text of texts) {
      a.send(text);
      await a.refused(code).catch((error) => { throw new Error(`${show(text)}: ${error.message}`); });
    }
    await b.nothing('a message that is refused goes to nobody');
    await c.nothing('a message that is refused goes to nobody');
  };
  const notMessages = ['', 'hello', 'null', '[]', '"type"', '{}', '{"a":1}', '{"type":5}', '{"type":null}', '{"type":"x",}', '{"type":"x"}{}',
    "{'type':'x'}", '{"type":"x","n":01}', '{"type":"x","s":"\t"}', '{"Type":"x"}'];
  await check('bad-message', () => refuse(notMessages, 'bad-message'));
  await check('bad-message-to', () => refuse(['{"type":"x","to":5}', '{"type":"x","to":null}', '{"type":"x","to":[]}'], 'bad-message'));
  await check('reserved-type', () => refuse(SERVER_TYPES.map((type) => JSON.stringify({ type, id: a.id })), 'reserved-type'));
  await check('reserved-type-escaped', () => refuse(['{"type":"peer\\u002dleft","id":"x"}'], 'reserved-type'));
  await check('reserved-field', () => refuse(['{"type":"x","from":"y"}', '{"type":"x","seq":1}', '{"from":null,"type":"x"}'], 'reserved-field'));
  await check('reserved-field-escaped', () => refuse(['{"type":"x","fr\\u006fm":"y"}', '{"type":"x","\\u0073eq":1}'], 'reserved-field'));
  await check('reserved-field-twice', () => refuse(['{"type":"x","a":1,"a":2}', '{"type":"x","a":1,"\\u0061":2}', '{"type":"x","type":"x"}'], 'reserved-field'));
  await check('unknown-peer', () => refuse([`{"type":"x","to":"${NOBODY}"}`, '{"type":"x","to":""}', `{"type":"x","to":"${b.id.slice(1)}"}`], 'unknown-peer'));
  await check('unknown-peer-that-has-left', async () => {
    const d = await enter();
    d.ws.close(1000);
    for (const other of [a, b, c]) {
      await other.expect('join', { type: 'peer-joined', id: d.id });
      await other.expect('leave', { type: 'peer-left', id: d.id });
    }
    await refuse([`{"type":"x","to":"${d.id}"}`], 'unknown-peer');
  });
  await check('lives-on-after-errors', async () => {
    a.send({ type: 'alive' });
    await b.expect('after the errors', { from: a.id, type: 'alive' });
    await c.expect('after the errors', { from: a.id, type: 'alive' });
    await a.nothing('no further error');
  });
}

// c and d must see what a and b send, and that e comes and goes, in one order.
async function order() {
  const [a, b, c] = peers;
  await check('one-order-for-all', async () => {
    const d = await enter();
    for (const other of [a, b, c]) await other.expect('join', { type: 'peer-joined', id: d.id });
    let e;
    for (let n = 1; n <= 20; n++) {
      a.send({ type: 'n', n });
      b.send({ type: 'n', n });
      if (n === 10) e = enter().then((peer) => peer.ws.close(1000));
      if (n % 5 === 0) await sleep(5);
    }
    await e;
    const seen = [];
    for (const observer of [c, d]) {
      const list = [];
      while (list.length < 42) list.push(await observer.next());
      for (const peer of [a, b]) {
        same('order of one sender', list.filter(({ from }) => from === peer.id).map(({ n }) => n), Array.from({ length: 20 }, (_, i) => i + 1));
      }
      seen.push(list.map(({ from, n, type, id }) => `${type} ${from || id} ${n || ''}`));
    }
    same('the order of the fourth', seen[1], seen[0]);
  });
}

// ---- coming back ----

function join(withInvite = invite) {
  const client = new RoomClient(`${base}/ws/${room}`, { invite: withInvite, minDelay: 100, ws: TLS });
  client.welcomes = [];
  client.got = [];
  client.on('welcome', (welcome) => client.welcomes.push(welcome));
  client.on('message', (message) => client.got.push(message));
  client.on('closed', (end) => { client.end = end; });
  clients.push(client);
  return client;
}

async function resuming() {
  const [a, b, c] = await three();
  const d = join();
  await check('client-enters', async () => {
    await until('the welcome', () => d.welcomes.length);
    for (const other of [a, b, c]) await other.expect('join', { type: 'peer-joined', id: d.id });
    same('peers', [...d.peers].filter((peer) => !gone.has(peer)), [a.id, b.id, c.id]);
  });
  await check('resume-nothing-lost-nothing-twice', async () => {
    const { id } = d;
    for (let n = 1; n <= 10; n++) d.send({ type: 'up', n });
    a.send({ type: 'down', n: 1 });
    await until('down 1', () => d.got.length);
    d.send({ type: 'up', n: 11 });
    d.ws.terminate(); // what has just been sent may be lost or not
    for (let n = 12; n <= 15; n++) d.send({ type: 'up', n });
    for (let n = 2; n <= 10; n++) a.send({ type: 'down', n });
    await until('the second welcome', () => d.welcomes.length === 2);
    for (let n = 11; n <= 12; n++) a.send({ type: 'down', n });
    await until('down 12', () => d.got.some(({ n }) => n === 12));
    await a.expect('up', { from: d.id, type: 'up', n: 1 });
    for (let n = 2; n <= 15; n++) await a.expect('up', { from: d.id, type: 'up', n });
    await sleep(50);
    same('what came down', d.got.map(({ n }) => n), Array.from({ length: 12 }, (_, i) => i + 1));
    same('resumed', d.welcomes[1].resumed, true);
    same('id', d.id, id);
    same('resume', d.welcomes[1].resume, d.welcomes[0].resume);
    same('room', d.welcomes[1].room, room);
    same('peers', d.welcomes[1].peers.filter((peer) => !gone.has(peer)), [a.id, b.id, c.id]);
  });
  await check('resume-has-ice-servers', () => checkIceServers(d.welcomes[1]));
  await check('resume-others-see-nothing', async () => {
    const seen = []; // b hears a and d; how they alternate is open
    while (seen.length < 27) seen.push(await b.next());
    const numbers = (type) => seen.filter((message) => message.type === type).map(({ n }) => n);
    same('up', numbers('up'), Array.from({ length: 15 }, (_, i) => i + 1));
    same('down', numbers('down'), Array.from({ length: 12 }, (_, i) => i + 1));
    await b.nothing('the others see nothing');
    await a.nothing('the others see nothing');
  });
  await check('client-hears-of-a-refused-message', async () => {
    let refused;
    d.on('refused', (error) => { refused = error; });
    d.send({ type: 'lost' }, NOBODY);
    await until('the error', () => refused);
    same('error', [refused.code, refused.text], ['unknown-peer', JSON.stringify({ type: 'lost', to: NOBODY })]);
  });
  await check('client-leaves', async () => {
    d.leave();
    for (const other of [a, b]) await other.expect('leave', { type: 'peer-left', id: d.id });
  });
}

// The same with each byte in view. b is the one that comes and goes, a and c look on.
async function resumingByHand() {
  let [a, b, c] = await three();
  const { id } = b;
  await check('resume-counts-received', async () => {
    b.send({ type: 'one', to: a.id });
    b.send('nonsense'); // answered with an error, and counts as taken
    await b.refused('bad-message');
    await a.expect('one', { from: id, type: 'one' });
    b.cut();
    b = await comeBack(b);
    same('welcome', [b.welcome.resumed, b.welcome.id, b.welcome.received], [true, id, 2]);
    b.send({ type: 'bye', to: NOBODY });
    await b.refused('unknown-peer');
  });
  await check('resume-gives-what-came-after-seq', async () => {
    for (let n = 1; n <= 5; n++) a.send({ type: 'n', to: id, n });
    for (let n = 1; n <= 3; n++) await b.expect('n', { type: 'n', n });
    await sleep(50); // 4 and 5 have come, too, but say that they have not
    b.inbox = [];
    b.cut();
    b = await comeBack(b);
    await b.expect('n', { from: a.id, n: 4 });
    await b.expect('n', { from: a.id, n: 5 });
    await b.nothing('nothing twice');
  });
  await check('resume-from-seq-0', async () => {
    const last = b.lastSeq;
    const fresh = await enter();
    await a.expect('join', { type: 'peer-joined', id: fresh.id });
    await b.expect('join', { type: 'peer-joined', id: fresh.id });
    await c.expect('join', { type: 'peer-joined', id: fresh.id });
    a.send({ type: 'first', to: fresh.id });
    await fresh.expect('first', { seq: 1 });
    fresh.cut();
    const back = await comeBack(fresh, 0);
    await back.expect('again', { seq: 1, from: a.id, type: 'first' });
    back.ws.close(1000);
    for (const other of [a, b, c]) await other.expect('leave', { type: 'peer-left', id: fresh.id });
    ensure(b.lastSeq === last + 2, 'seq of the others');
  });
  await check('resume-tells-who-came-and-left', async () => {
    b.cut();
    const d = await enter();
    const e = await enter();
    d.ws.close(1000);
    await d.ended(1000, '').catch(() => {});
    for (const other of [a, c]) {
      await other.expect('join', { id: d.id });
      await other.expect('join', { id: e.id });
      await other.expect('leave', { type: 'peer-left', id: d.id });
    }
    b = await comeBack(b);
    same('peers', b.welcome.peers, [a.id, c.id, e.id]);
    await b.expect('join', { type: 'peer-joined', id: d.id });
    await b.expect('join', { type: 'peer-joined', id: e.id });
    await b.expect('leave', { type: 'peer-left', id: d.id });
    e.ws.close(1000);
    for (const other of [a, b, c]) await other.expect('leave', { type: 'peer-left', id: e.id });
  });
  await check('resume-after-close-4000', async () => {
    b.ws.close(4000);
    await until('the close', () => b.end);
    a.send({ type: 'meanwhile', to: id });
    b = await comeBack(b);
    same('welcome', [b.welcome.resumed, b.welcome.id], [true, id]);
    await b.expect('meanwhile', { type: 'meanwhile', from: a.id });
  });
  await check('lost-peer-is-still-listed', async () => {
    b.cut();
    await sleep(100);
    const d = await enter();
    same('peers', d.welcome.peers, [a.id, id, c.id]);
    b = await comeBack(b);
    await b.expect('join', { type: 'peer-joined', id: d.id });
    d.ws.close(1000);
    await b.expect('leave', { type: 'peer-left', id: d.id });
    for (const other of [a, c]) {
      await other.expect('join', { id: d.id });
      await other.expect('leave', { id: d.id });
    }
  });
  await check('resume-by-hand-others-see-nothing', async () => {
    await a.nothing('the others see nothing');
    await c.nothing('the others see nothing');
  });
  b = await takeover(a, b, c);
  await tooMuch(a, b, c);
}

async function takeover(a, b, c) {
  const old = b;
  await check('takeover', async () => {
    old.send({ type: 'last', to: a.id });
    await a.expect('last', { type: 'last', from: b.id });
    b = await comeBack(old);
    same('welcome', [b.welcome.resumed, b.welcome.id, b.welcome.resume, b.welcome.received],
      [true, old.id, old.welcome.resume, old.sent]);
    a.send({ type: 'to-the-new', to: b.id });
    await b.expect('to the new one', { type: 'to-the-new', from: a.id });
  });
  await check('takeover-ends-the-old', () => old.failed(4409, 'taken-over'));
  await check('takeover-others-see-nothing', async () => {
    await a.nothing('the others see nothing');
    await c.nothing('the others see nothing');
  });
  await check('takeover-client-stays-away', async () => {
    const client = join();
    await until('the welcome', () => client.welcomes.length);
    for (const other of [a, b, c]) await other.expect('join', { type: 'peer-joined', id: client.id });
    const second = new Peer(`resume=${encodeURIComponent(client.token)}&seq=${client.seq}`);
    await until('the end', () => client.end);
    same('end', [client.end.code, client.end.reason], [4409, 'taken-over']);
    second.ws.close(1000);
    for (const other of [a, b, c]) await other.expect('leave', { type: 'peer-left', id: client.id });
  });
  await check('resume-with-a-wrong-secret', async () => {
    const { resume } = b.welcome;
    const wrong = resume.slice(0, -8) + (resume.endsWith('AAAAAAAA') ? 'BBBBBBBB' : 'AAAAAAAA');
    const thief = new Peer(`resume=${encodeURIComponent(wrong)}&seq=0`);
    await thief.failed(4404, 'resume-lost');
    await b.nothing('the real peer notices nothing');
    await a.nothing('the others notice nothing');
    await c.nothing('the others notice nothing');
  });
  return b;
}

// 256 KiB are kept for a peer.
async function tooMuch(a, b, c) {
  const fill = 'x'.repeat(60000);
  await check('resume-180-kb-are-kept', async () => {
    b.cut();
    for (let n = 1; n <= 3; n++) a.send({ type: 'big', to: b.id, n, fill });
    await a.nothing('all have been taken');
    b = await comeBack(b);
    for (let n = 1; n <= 3; n++) await b.expect('big', { type: 'big', n });
  });
  await check('resume-lost-after-360-kb', async () => {
    b.cut();
    await sleep(100);
    for (let n = 1; n <= 6; n++) a.send({ type: 'big', to: b.id, n, fill });
    await a.nothing('all have been taken');
    const late = new Peer(`resume=${encodeURIComponent(b.welcome.resume)}&seq=${b.lastSeq || 0}`);
    await late.failed(4404, 'resume-lost');
    await a.expect('leave', { type: 'peer-left', id: b.id });
    await c.expect('leave', { type: 'peer-left', id: b.id });
  });
}

// ---- how a socket ends ----

// A client's frame with its mask, which is zero so that the payload stays as it is.
function frame(first, payload) {
  return Buffer.concat([Buffer.from([first, 0x80 | payload.length, 0, 0, 0, 0]), Buffer.from(payload)]);
}

const BROKEN = [
  ['binary', 1003, 'binary', (peer) => peer.ws.send(Buffer.from('{"type":"x"}'), { binary: true })],
  ['oversize', 1009, 'too-big', (peer) => peer.ws.send(`{"type":"x","s":"${'x'.repeat(65536)}"}`)],
  ['oversize-by-one-byte', 1009, 'too-big', (peer) => peer.ws.send(`{"type":"x","s":"${'x'.repeat(65537 - 19)}"}`)],
  ['oversize-in-fragments', 1009, 'too-big', (peer) => {
    peer.ws.send(`{"type":"x","s":"${'x'.repeat(40000)}`, { fin: false });
    peer.ws.send(`${'x'.repeat(40000)}"}`, { fin: true });
  }],
  ['not-utf8', 1007, 'not-utf8', (peer) => peer.ws.send(Buffer.from([0x7b, 0xff, 0x7d]), { binary: false })],
  ['not-utf8-surrogate', 1007, 'not-utf8', (peer) => peer.ws.send(Buffer.from('{"type":"\xed\xa0\x80"}', 'latin1'), { binary: false })],
  ['unmasked', 1002, 'bad-frame', (peer) => peer.ws._socket.write(Buffer.from([0x81, 2, 0x7b, 0x7d]))],
  ['compressed', 1002, 'bad-frame', (peer) => peer.ws._socket.write(frame(0xc1, '{}'))],
  ['unknown-opcode', 1002, 'bad-frame', (peer) => peer.ws._socket.write(frame(0x83, '{}'))],
  ['stray-continuation', 1002, 'bad-frame', (peer) => peer.ws._socket.write(frame(0x80, '{}'))],
];

async function endings() {
  const a = await enter();
  for (const [name, code, reason, act] of BROKEN) {
    await check(`close-${name}`, async () => {
      const b = await enter();
      await a.expect('join', { type: 'peer-joined', id: b.id });
      act(b);
      await b.failed(code, reason);
      await a.expect('leave', { type: 'peer-left', id: b.id });
    });
  }
  await check('nothing-to-come-back-to-after-a-broken-rule', async () => {
    const b = await enter();
    await a.expect('join', { id: b.id });
    BROKEN[0][3](b);
    await b.failed(1003, 'binary');
    const late = new Peer(`resume=${encodeURIComponent(b.welcome.resume)}&seq=0`);
    await late.failed(4404, 'resume-lost');
    await a.expect('leave', { id: b.id });
  });
  await check('rate-limited', async () => {
    const b = await enter();
    await a.expect('join', { type: 'peer-joined', id: b.id });
    for (let n = 1; n <= 400; n++) b.send({ type: 'flood', to: b.id });
    await until('the end', () => b.end);
    b.inbox = b.inbox.filter(({ text }) => !text.includes('"flood"'));
    await b.failed(4429, 'rate-limited');
    await a.expect('leave', { type: 'peer-left', id: b.id });
  });
}

async function full() {
  await check('room-full-at-17', async () => {
    const first = await enter();
    const others = Array.from({ length: 15 - first.others }, () => enter());
    await Promise.all(others);
    const last = new Peer(`invite=${encodeURIComponent(invite)}`);
    await last.failed(4429, 'room-full');
  });
}

// ---- all of it ----

function readArguments([url, token = '', name]) {
  const link = /\/r\/([^/#]+)#(.+)$/.exec(token);
  const path = /^(wss?:\/\/.*?)\/ws\/([^/?#]+)$/.exec(url || '');
  base = (path ? path[1] : url || '').replace(/\/+$/, '');
  room = name || path?.[2] || link?.[1] || process.env.ROOM || '';
  invite = link ? link[2] : token;
  return /^wss?:\/\//.test(base) && invite && room;
}

async function main() {
  if (!readArguments(process.argv.slice(2))) {
    console.log('FAIL arguments: node room-check.js wss://HOST:PORT[/ws/ROOM] INVITE [ROOM]');
    process.exit(1);
  }
  setTimeout(() => {
    console.log(`FAIL deadline: not done after ${DEADLINE / 1000} s`);
    process.exit(1);
  }, DEADLINE);
  for (const run of [entering, refusals, messages, resuming, resumingByHand, endings, full]) await section(run);
  process.exit(failed ? 1 : 0);
}

main();
