import { createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';
import type { SecretKey } from '../lib/secrets.ts';
import type { Purpose } from './types.ts';

type Use = 'mac' | 'seal';

export interface Keyring {
  /** Ids, the one that seals first. */
  ids: string[];
  /** The sub-key of a purpose and use (HKDF-SHA-256, RFC 5869), or undefined when there is no key of that id. */
  derive(id: string, purpose: Purpose, use: Use): KeyObject | undefined;
}

/** A key and the sub-keys that were asked for so far. */
type Derived = { bytes: Uint8Array } & Record<Use, Map<Purpose, KeyObject>>;

/** Throws when there is no key, or one is misshapen: such a fault must stop the start. */
export function createKeyring(keys: SecretKey[]): Keyring {
  if (keys.length === 0) throw new Error('SECRET_KEY holds no key');
  const byId = new Map(
    keys.map(({ id, bytes }) => [id, { bytes, mac: new Map(), seal: new Map() } as Derived]),
  );
  if (byId.size !== keys.length) throw new Error('SECRET_KEY has two keys of one id');
  for (const [id, { bytes }] of byId) {
    // The id stands before a dot in every sealed value.
    if (!/^[A-Za-z0-9_-]{1,32}$/.test(id)) throw new Error(`SECRET_KEY: "${id}" cannot be a key id`);
    if (bytes.length !== 32) throw new Error(`SECRET_KEY: the key ${id} has not 32 bytes`);
  }
  return {
    ids: [...byId.keys()],
    derive(id, purpose, use) {
      const of = byId.get(id);
      const known = of?.[use].get(purpose);
      if (!of || known) return known;
      const key = createSecretKey(
        Buffer.from(hkdfSync('sha256', of.bytes, '', `sallyport/${purpose}/${use}`, 32)),
      );
      of[use].set(purpose, key);
      return key;
    },
  };
}
