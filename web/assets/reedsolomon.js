// Reed-Solomon check codewords over GF(256), with the field polynomial of QR
// codes, x^8 + x^4 + x^3 + x^2 + 1.

export function gfTables() {
  const exp = new Uint8Array(512);
  const log = new Uint8Array(256);
  for (let i = 0, x = 1; i < 255; i++) {
    exp[i] = exp[i + 255] = x;
    log[x] = i;
    x = (x << 1) ^ (x & 0x80 ? 0x11d : 0);
  }
  return { exp, log };
}

// checkCodewords are the n that follow block.
export function checkCodewords(block, n, { exp, log }) {
  const times = (a, b) => (a && b ? exp[log[a] + log[b]] : 0);
  let generator = [1]; // its coefficients, the highest first
  for (let i = 0; i < n; i++) {
    generator = [...generator, 0].map((g, j) => g ^ times(generator[j - 1] ?? 0, exp[i]));
  }
  const rest = [...block, ...Array(n).fill(0)];
  for (let i = 0; i < block.length; i++) {
    const lead = rest[i];
    if (lead) generator.forEach((g, j) => { rest[i + j] ^= times(g, lead); });
  }
  return rest.slice(block.length);
}
