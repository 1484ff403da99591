// A QR code (ISO/IEC 18004) of a short text: byte mode, correction level M,
// versions 1 to 10, which is up to 213 bytes.

import { checkCodewords, gfTables } from './reedsolomon.js';

// By version: check codewords a block, blocks, data codewords of the shorter
// blocks, and how many blocks at the end have one more. Table 9 there.
const BLOCKS = [
  null, [10, 1, 16, 0], [16, 1, 28, 0], [26, 1, 44, 0], [18, 2, 32, 0], [24, 2, 43, 0],
  [16, 4, 27, 0], [18, 4, 31, 0], [22, 4, 38, 2], [22, 5, 36, 2], [26, 5, 43, 1],
];
const PENALTY_RUN = /([01])\1{4,}/g;
const PENALTY_FINDER = /(?=10111010000|00001011101)/g;

// The eight masks: a module of the data is turned over where its one is 0.
const MASKS = [
  (r, c) => (r + c) % 2,
  (r) => r % 2,
  (r, c) => c % 3,
  (r, c) => (r + c) % 3,
  (r, c) => (Math.floor(r / 2) + Math.floor(c / 3)) % 2,
  (r, c) => ((r * c) % 2) + ((r * c) % 3),
  (r, c) => (((r * c) % 2) + ((r * c) % 3)) % 2,
  (r, c) => (((r + c) % 2) + ((r * c) % 3)) % 2,
];

// drawQR puts the code of text into svg, an <svg>; nothing where it is too long.
export function drawQR(svg, text) {
  const rows = qrCode(text);
  svg.replaceChildren();
  svg.toggleAttribute('hidden', !rows);
  if (!rows) return;
  const quiet = 4;
  const size = rows.length + 2 * quiet;
  const path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
  path.setAttribute('d', rows.flatMap((row, r) =>
    row.map((dark, c) => (dark ? `M${c + quiet} ${r + quiet}h1v1h-1z` : ''))).join(''));
  svg.setAttribute('viewBox', `0 0 ${size} ${size}`);
  svg.append(path);
}

// qrCode is the rows of the code, of 0 and 1, or null where text is too long.
// mask is picked by the rules unless it is given.
export function qrCode(text, mask) {
  const bytes = new TextEncoder().encode(text);
  const version = BLOCKS.findIndex((b, v) => b && bytes.length <= capacity(v));
  if (version < 0) return null;
  const bits = interleave(dataCodewords(bytes, version), version);
  const codes = (mask === undefined ? [...MASKS.keys()] : [mask])
    .map((m) => place(bits, version, m));
  return codes.reduce((best, code) => (penalty(code) < penalty(best) ? code : best));
}

function dataLength(version) {
  const [, blocks, data, longer] = BLOCKS[version];
  return blocks * data + longer;
}

function capacity(version) {
  return dataLength(version) - (version < 10 ? 2 : 3);
}

// dataCodewords: mode 0100, the length, the bytes, an end, padding. 7.4 there.
function dataCodewords(bytes, version) {
  const long = version < 10 ? 8 : 16;
  const bit = (value, n) => value.toString(2).padStart(n, '0');
  const room = dataLength(version) * 8;
  let bits = bit(4, 4) + bit(bytes.length, long) + [...bytes].map((b) => bit(b, 8)).join('');
  bits += '0'.repeat(Math.min(4, room - bits.length));
  bits = bits.padEnd(Math.ceil(bits.length / 8) * 8, '0');
  const words = bits.match(/.{8}/g).map((b) => parseInt(b, 2));
  for (let pad = 0xec; words.length < room / 8; pad ^= 0xec ^ 0x11) words.push(pad);
  return words;
}

// interleave cuts words into blocks, adds their check codewords, and takes one
// of each block in turn. The result is bits. 7.6 there.
function interleave(words, version) {
  const [check, blocks, data, longer] = BLOCKS[version];
  const tables = gfTables();
  const cut = [];
  for (let i = 0, at = 0; i < blocks; i++) {
    const end = at + data + (i >= blocks - longer ? 1 : 0);
    cut.push(words.slice(at, end));
    at = end;
  }
  const turns = (lists) => Array.from({ length: Math.max(...lists.map((l) => l.length)) },
    (_, i) => lists.map((l) => l[i]).filter((w) => w !== undefined)).flat();
  const all = [...turns(cut), ...turns(cut.map((block) => checkCodewords(block, check, tables)))];
  return all.flatMap((w) => [...w.toString(2).padStart(8, '0')].map(Number));
}

// place draws the patterns, the format, and bits in their zigzag with mask.
function place(bits, version, mask) {
  const size = 17 + 4 * version;
  const rows = Array.from({ length: size }, () => Array(size).fill(null));
  patterns(rows, version);
  information(rows, version, mask);
  let next = 0;
  for (let right = size - 1, up = true; right > 0; right -= 2, up = !up) {
    if (right === 6) right--; // the timing column
    for (let i = 0; i < size; i++) {
      const r = up ? size - 1 - i : i;
      for (const c of [right, right - 1]) {
        if (rows[r][c] === null) rows[r][c] = (bits[next++] ?? 0) ^ (MASKS[mask](r, c) === 0 ? 1 : 0);
      }
    }
  }
  return rows;
}

function patterns(rows, version) {
  const size = rows.length;
  const square = (row, col, reach, dark) => {
    for (let r = Math.max(0, row - reach); r <= Math.min(size - 1, row + reach); r++) {
      for (let c = Math.max(0, col - reach); c <= Math.min(size - 1, col + reach); c++) {
        rows[r][c] = dark(Math.max(Math.abs(r - row), Math.abs(c - col))) ? 1 : 0;
      }
    }
  };
  for (let i = 0; i < size; i++) rows[6][i] = rows[i][6] = i % 2 ? 0 : 1;
  for (const [r, c] of [[3, 3], [3, size - 4], [size - 4, 3]]) square(r, c, 4, (d) => d !== 2 && d !== 4);
  const last = size - 7;
  const at = version === 1 ? [] : version < 7 ? [6, last] : [6, (6 + last) / 2, last];
  for (const r of at) {
    for (const c of at) {
      const finder = (r === 6 && (c === 6 || c === last)) || (r === last && c === 6);
      if (!finder) square(r, c, 2, (d) => d !== 1);
    }
  }
}

// information writes the format, twice, and from version 7 on the version. 7.9,
// 7.10 there.
function information(rows, version, mask) {
  const size = rows.length;
  const format = withCheck(mask, 10, 0b10100110111) ^ 0b101010000010010; // level M is 00
  for (let i = 0; i < 15; i++) {
    const dark = (format >> i) & 1;
    rows[i < 6 ? i : i < 8 ? i + 1 : size - 15 + i][8] = dark;
    rows[8][i < 8 ? size - 1 - i : i === 8 ? 7 : 14 - i] = dark;
  }
  rows[size - 8][8] = 1;
  if (version < 7) return;
  const number = withCheck(version, 12, 0b1111100100101);
  for (let i = 0; i < 18; i++) {
    const [far, near] = [size - 11 + (i % 3), Math.floor(i / 3)];
    rows[far][near] = rows[near][far] = (number >> i) & 1;
  }
}

// withCheck appends n bits, the remainder of value by generator.
function withCheck(value, n, generator) {
  let rest = value << n;
  for (let top = 31 - Math.clz32(generator); rest >> top; ) {
    rest ^= generator << (31 - Math.clz32(rest) - top);
  }
  return (value << n) | rest;
}

// penalty is how hard a code is to read. 7.8.3 there.
function penalty(rows) {
  const size = rows.length;
  const lines = [...rows, ...rows.map((_, c) => rows.map((row) => row[c]))].map((line) => line.join(''));
  let sum = 0;
  for (const line of lines) {
    for (const [run] of line.matchAll(PENALTY_RUN)) sum += run.length - 2;
    sum += 40 * [...line.matchAll(PENALTY_FINDER)].length;
  }
  for (let r = 1; r < size; r++) {
    for (let c = 1; c < size; c++) {
      const four = rows[r][c] + rows[r - 1][c] + rows[r][c - 1] + rows[r - 1][c - 1];
      if (four % 4 === 0) sum += 3;
    }
  }
  const dark = rows.flat().reduce((a, b) => a + b) / size ** 2;
  return sum + 10 * Math.floor(Math.abs(dark - 0.5) * 20);
}
