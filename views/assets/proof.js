// The small task that a page sets before a code is sent: the form goes out by itself with its solution. Without this
// file the button opens after a while.

const round = new Uint32Array(64);
const initial = new Uint32Array(8);

/** The constants of SHA-256: fractions of the roots of the first primes (FIPS 180-4, 4.2.2 and 5.3.3). */
for (let prime = 2, found = 0; found < 64; prime += 1) {
  let divisor = 2;
  while (divisor * divisor <= prime && prime % divisor !== 0) divisor += 1;
  if (divisor * divisor <= prime) continue;
  const fraction = (value) => ((value - Math.floor(value)) * 2 ** 32) >>> 0;
  if (found < 8) initial[found] = fraction(Math.sqrt(prime));
  round[found] = fraction(Math.cbrt(prime));
  found += 1;
}

const words = new Uint32Array(64);
const turn = (value, by) => (value >>> by) | (value << (32 - by));

/** The first 32 bits of the SHA-256 of an ASCII text of less than 56 characters: one block. */
function firstWord(text) {
  words.fill(0, 0, 16);
  for (let at = 0; at < text.length; at += 1) words[at >> 2] |= text.charCodeAt(at) << (24 - (at & 3) * 8);
  words[text.length >> 2] |= 0x80 << (24 - (text.length & 3) * 8);
  words[15] = text.length * 8;
  for (let at = 16; at < 64; at += 1) {
    const before = words[at - 15];
    const last = words[at - 2];
    const small = turn(before, 7) ^ turn(before, 18) ^ (before >>> 3);
    words[at] = words[at - 16] + small + words[at - 7] + (turn(last, 17) ^ turn(last, 19) ^ (last >>> 10));
  }
  let [a, b, c, d, e, f, g, h] = initial;
  for (let at = 0; at < 64; at += 1) {
    const big = turn(e, 6) ^ turn(e, 11) ^ turn(e, 25);
    const one = (h + big + ((e & f) ^ (~e & g)) + round[at] + words[at]) | 0;
    const two = ((turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    [h, g, f, e, d, c, b, a] = [g, f, e, (d + one) | 0, c, b, a, (one + two) | 0];
  }
  return (initial[0] + a) >>> 0;
}

/** In slices, so that the page stays alive. */
function solve(salt, bits, solved) {
  let nonce = 0;
  const slice = () => {
    const until = performance.now() + 30;
    while (performance.now() < until) {
      for (const end = nonce + 256; nonce < end; nonce += 1) {
        if (Math.clz32(firstWord(`${salt}:${nonce}`)) >= bits) return solved(String(nonce));
      }
    }
    setTimeout(slice);
  };
  slice();
}

for (const field of document.querySelectorAll('input[data-salt]')) {
  solve(field.dataset.salt, Number(field.dataset.bits), (nonce) => {
    field.value = nonce;
    const button = field.form.querySelector('button.primary');
    button.disabled = false;
    field.form.requestSubmit(button);
  });
}
