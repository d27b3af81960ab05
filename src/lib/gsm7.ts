/** The alphabet of GSM 03.38 (3GPP TS 23.038, section 6.2.1): one septet each. */
const basic =
  '@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà';
/** Its extension table: each behind an escape, so two septets. */
const extension = new Set('\f^{}\\[~]|€');
const alphabet = new Set([...basic, ...extension]);

/** Whether a text message can be sent in the alphabet of GSM 03.38; otherwise it needs UCS-2 and takes more room. */
export function isGsm7(text: string): boolean {
  for (const char of text) if (!alphabet.has(char)) return false;
  return true;
}

/** How much room a text takes as SMS. */
export interface SmsLength {
  encoding: 'GSM-7' | 'UCS-2';
  /** Septets, or UTF-16 code units. */
  units: number;
  /** How many of them a message takes that stands alone. */
  room: number;
  /** Messages that are paid for: a longer text goes out in parts, and each carries a header. */
  segments: number;
  /** What the alphabet lacks, each once: the reason for UCS-2. */
  foreign: string[];
}

/** 140 octets, six of which number the parts of a longer text (3GPP TS 23.040, section 9.2.3.24.1). */
const rooms = { 'GSM-7': { alone: 160, part: 153 }, 'UCS-2': { alone: 70, part: 67 } };

export function smsLength(text: string): SmsLength {
  const chars = [...text];
  const foreign = [...new Set(chars.filter((char) => !alphabet.has(char)))];
  const encoding = foreign.length === 0 ? 'GSM-7' : 'UCS-2';
  const { alone, part } = rooms[encoding];
  const sizes = chars.map((char) => (encoding === 'UCS-2' ? char.length : extension.has(char) ? 2 : 1));
  const units = sizes.reduce((sum, size) => sum + size, 0);
  return { encoding, units, room: alone, segments: units <= alone ? 1 : partsOf(sizes, part), foreign };
}

/** An escape and what it belongs to stay together, as the halves of a surrogate pair do. */
function partsOf(sizes: number[], room: number): number {
  let parts = 1;
  let used = 0;
  for (const size of sizes) {
    if (used + size > room) {
      parts += 1;
      used = 0;
    }
    used += size;
  }
  return parts;
}

/** What compatibility decomposition (UAX #15) does not lead back to the alphabet. */
const near = new Map<string, string>(
  Object.entries({
    "'": '‘’‚‛′`´‹›ʼ',
    '"': '“”„‟″«»',
    '-': '−⁃',
    '*': '•',
    '.': '·',
    '/': '⁄',
    l: 'ł',
    L: 'Ł',
    d: 'đ',
    D: 'ĐÐ',
    i: 'ı',
    oe: 'œ',
    OE: 'Œ',
    SS: 'ẞ',
  }).flatMap(([plain, chars]) => [...chars].map((char) => [char, plain] as const)),
);

/** Hyphens that show only where a line breaks, joiners, marks of direction and of byte order. */
const invisible = /^[\u00ad\u200b-\u200f\u2060\ufeff]$/u;

/**
 * The same text in the alphabet of GSM 03.38: typographic quotes, dashes and blanks become plain ones, accents that it
 * lacks go. Null when anything has no near equivalent, for a text of which half was replaced helps nobody.
 */
export function toGsm7(text: string): string | null {
  let plain = '';
  for (const char of text.normalize('NFC')) {
    const same = alphabet.has(char) ? char : equivalent(char);
    if (same === null) return null;
    plain += same;
  }
  return plain;
}

function equivalent(char: string): string | null {
  const known = near.get(char);
  if (known !== undefined) return known;
  if (/^[\t\p{Zs}]$/u.test(char)) return ' ';
  if (/^\p{Pd}$/u.test(char)) return '-';
  if (invisible.test(char) || /^\p{M}$/u.test(char)) return '';
  const base = char.normalize('NFKD').replace(/\p{M}/gu, '');
  return base !== '' && isGsm7(base) ? base : null;
}
