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

/** Throws when there is no key, or one is misshapen: such a fault must stop the start. */
export function createKeyring(keys: SecretKey[]): Keyring {
  if (keys.length === 0) throw new Error('SECRET_KEY holds no key');
  const byId = new Map(keys.map((key) => [key.id, key.bytes]));
  if (byId.size !== keys.length) throw new Error('SECRET_KEY has two keys of one id');
  for (const [id, bytes] of byId) {
    // The id stands before a dot in every sealed value.
    if (!/^[A-Za-z0-9_-]{1,32}$/.test(id)) throw new Error(`SECRET_KEY: "${id}" cannot be a key id`);
    if (bytes.length !== 32) throw new Error(`SECRET_KEY: the key ${id} has not 32 bytes`);
  }
  const derived = new Map<string, KeyObject>();
  return {
    ids: [...byId.keys()],
    derive(id, purpose, use) {
      const bytes = byId.get(id);
      if (!bytes) return undefined;
      const name = `${id}/${purpose}/${use}`;
      const known = derived.get(name);
      if (known) return known;
      const key = createSecretKey(
        Buffer.from(hkdfSync('sha256', bytes, '', `sallyport/${purpose}/${use}`, 32)),
      );
      derived.set(name, key);
      return key;
    },
  };
}
