// Prints the QR code of each line [text, mask] of JSON on standard input, a row of
// 0 and 1 a line and an empty line after each code. mask null: the one it picks.

import { readFileSync } from 'node:fs';
import { qrCode } from './assets/qr.js';

for (const line of readFileSync(0, 'utf8').trim().split('\n')) {
  const [text, mask] = JSON.parse(line);
  const rows = qrCode(text, mask ?? undefined);
  console.log(rows ? rows.map((row) => row.join('')).join('\n') : 'too long');
  console.log();
}
