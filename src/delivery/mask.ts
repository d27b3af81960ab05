import { percent } from './template/encode.ts';

export const MASK = '•••';
/** Shorter values occur by chance; a code has at least four characters. */
const MIN_LENGTH = 4;
/** A provider's own words, as far as an administrator needs them. */
const MAX_REASON = 300;

/** The forms in which a value may come back from a gateway. */
function forms(value: string): string[] {
  const json = JSON.stringify(value).slice(1, -1);
  const xml = value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  const encoded = percent(value.toWellFormed());
  const bytes = Buffer.from(value, 'utf8');
  return [
    value,
    json,
    json.replaceAll('/', '\\/'),
    xml,
    xml.replaceAll('"', '&quot;').replaceAll("'", '&apos;'),
    xml.replaceAll('"', '&quot;').replaceAll("'", '&#39;'),
    encoded,
    encoded.replace(/%[0-9A-F]{2}/g, (byte) => byte.toLowerCase()),
    encoded.replaceAll('%20', '+'),
    bytes.toString('base64'),
    bytes.toString('base64url'),
    JSON.stringify(
      value.replace(/[\u0080-\uffff]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`),
    )
      .slice(1, -1)
      .replaceAll('\\\\u', '\\u'),
  ];
}

/** The digits of a number however they are grouped: `+1 (500) 555-0006`. */
function grouped(number: string): RegExp | null {
  const digits = number.replace(/[^0-9]/g, '');
  return digits.length < 6 ? null : new RegExp(digits.split('').join('[\\s().-]{0,2}'), 'g');
}

/** An address whatever the case of its letters, for servers change it, and the name in it where that stands alone. */
function addressed(to: string): RegExp | null {
  const at = to.lastIndexOf('@');
  if (at <= 0) return null;
  const literal = (value: string) => value.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
  const names = [to, to.slice(0, at)].filter((value) => value.length >= MIN_LENGTH).map(literal);
  return new RegExp(`(?<![\\p{L}\\d])(?:${names.join('|')})(?![\\p{L}\\d])`, 'giu');
}

/** A request as it may be shown to whoever runs the gateway: secrets masked in every form in which they are sent. */
export function maskSecrets(text: string, secrets: string[]): string {
  const found = secrets.filter((value) => value.length >= MIN_LENGTH).flatMap(forms);
  const secretIn = (run: string) => holdsEncoded(run, found, 3);
  return replaceAll(text, found).replace(/[A-Za-z0-9+/]{8,}={0,2}/g, (run) => (secretIn(run) ? MASK : run));
}

/**
 * A template may have put a secret into Base64 together with other text, whose length then shifts it: whoever may write
 * templates must not read secrets that others have sealed.
 */
function holdsEncoded(run: string, secrets: string[], depth: number): boolean {
  return [0, 1, 2, 3].some((shift) => {
    const text = Buffer.from(run.slice(shift), 'base64').toString('utf8');
    if (secrets.some((secret) => text.includes(secret))) return true;
    return depth > 1 && /^[A-Za-z0-9+/]{8,}={0,2}/.test(text) && holdsEncoded(text, secrets, depth - 1);
  });
}

function replaceAll(text: string, values: string[]): string {
  let out = text;
  for (const value of [...new Set(values)].sort((a, b) => b.length - a.length))
    out = out.replaceAll(value, MASK);
  return out;
}

export interface Masked {
  /** E.164 number or address. */
  to: string;
  /** Its parts that stand alone in a gateway's answer: national digits. */
  parts: string[];
  text: string;
  code: string | null;
  secrets: string[];
}

/**
 * What may be recorded of a gateway's words: number, code, text and secrets are masked by comparison, in the forms in
 * which they are sent, too. Masked before it is cut, so that no half of a secret stays.
 */
export function maskReason(reason: string, masked: Masked): string {
  const values = [masked.to, ...masked.parts, masked.text, masked.code ?? '', ...masked.secrets];
  const found = values.filter((value) => value.length >= MIN_LENGTH).flatMap(forms);
  let out = replaceAll(reason, found);
  for (const written of [grouped(masked.to), addressed(masked.to)])
    if (written !== null) out = out.replace(written, MASK);
  return out
    .replace(/\p{Cc}+/gu, ' ')
    .trim()
    .slice(0, MAX_REASON);
}
