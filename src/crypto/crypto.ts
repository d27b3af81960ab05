import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  type Hmac,
  hash,
  type KeyObject,
  timingSafeEqual,
} from 'node:crypto';
import { type RandomSource, systemRandom } from '../lib/ids.ts';
import type { SecretKey } from '../lib/secrets.ts';
import { createKeyring } from './keys.ts';
import type { Crypto, Purpose } from './types.ts';

const NONCE = 12;
const TAG = 16;

/** SHA-256 in base64url (43 characters), for secrets of 128 random bits or more: they need no key to be safe at rest. */
export const sha256 = (value: string): string => hash('sha256', value, 'base64url');

/** A value that is sealed cannot be opened, because its key is absent or another one. */
export class SealBroken extends Error {
  constructor(keyId: string, why: string) {
    super(
      `Something in the database is sealed under the key "${keyId}", which ${why}. Give SECRET_KEY the key that sealed it; after a rotation, as id:base64 behind the new one.`,
    );
    this.name = 'SealBroken';
  }
}

/** Throws on keys that cannot work (none, two of one id, a wrong length). The first key seals, all of them open. */
export function createCrypto(keys: SecretKey[], random: RandomSource = systemRandom): Crypto {
  const ring = createKeyring(keys);
  const [newest = ''] = ring.ids;

  const hmac = (id: string, purpose: Purpose, parts: string[]): Hmac | undefined => {
    const key = ring.derive(id, purpose, 'mac');
    return key && createHmac('sha256', key).update(framed(parts));
  };
  const macUnder = (id: string, purpose: Purpose, parts: string[]): string =>
    `${id}.${hmac(id, purpose, parts)?.digest('base64url')}`;

  const crypto: Crypto = {
    keyIds: ring.ids,

    seal(purpose, plain, context = '') {
      const key = ring.derive(newest, purpose, 'seal') as KeyObject;
      const nonce = random(NONCE);
      const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(framed([purpose, context]));
      const sealed = Buffer.concat([
        nonce,
        cipher.update(plain, 'utf8'),
        cipher.final(),
        cipher.getAuthTag(),
      ]);
      return `${newest}.${sealed.toString('base64url')}`;
    },

    open(purpose, sealed, context = '') {
      const { id, bytes } = split(sealed);
      const key = ring.derive(id, purpose, 'seal');
      if (!key) throw new SealBroken(id, 'SECRET_KEY does not hold');
      if (bytes.length < NONCE + TAG) throw new Error('sealed value is too short');
      const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, NONCE), { authTagLength: TAG });
      decipher.setAAD(framed([purpose, context])).setAuthTag(bytes.subarray(-TAG));
      const start = decipher.update(bytes.subarray(NONCE, -TAG), undefined, 'utf8');
      try {
        return start + decipher.final('utf8');
      } catch {
        throw new SealBroken(id, 'SECRET_KEY holds differently, or the value was changed');
      }
    },

    renewed: (purpose, sealed, context) =>
      split(sealed).id === newest
        ? null
        : crypto.seal(purpose, crypto.open(purpose, sealed, context), context),

    mac: (purpose, ...parts) => macUnder(newest, purpose, parts),
    macs: (purpose, ...parts) => ring.ids.map((id) => macUnder(id, purpose, parts)),

    verifyMac(stored, purpose, ...parts) {
      const { id, bytes } = split(stored);
      const expected = hmac(id, purpose, parts)?.digest();
      return expected !== undefined && bytes.length === expected.length && timingSafeEqual(bytes, expected);
    },
  };
  return crypto;
}

/** Each part behind its length, so that no two lists of parts read the same. */
function framed(parts: string[]): Buffer {
  const all = Buffer.allocUnsafe(parts.reduce((size, part) => size + 4 + Buffer.byteLength(part), 0));
  let at = 0;
  for (const part of parts) {
    const length = all.write(part, at + 4);
    at = all.writeUInt32BE(length, at) + length;
  }
  return all;
}

/** `<keyId>.<base64url>`. A misshapen value has an id that no key has. */
function split(value: string): { id: string; bytes: Buffer } {
  const [, id = '', rest = ''] = /^([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)$/.exec(value) ?? [];
  return { id, bytes: Buffer.from(rest, 'base64url') };
}
