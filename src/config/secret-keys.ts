import { randomBytes } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SecretKey } from '../lib/secrets.ts';
import { ConfigurationError } from './errors.ts';

const keyBytes = 32;
const base64 = /^[A-Za-z0-9+/_-]+={0,2}$/u;
const keyId = /^[A-Za-z0-9_-]{1,32}$/u;

/** The id of a key that was given alone and without one; a rotation writes it as `new:<base64>,default:<base64>`. */
const unnamed = 'default';

/**
 * Reads `SECRET_KEY`: base64 of 32 bytes, or a comma list of `id:base64` whose first seals and whose others only read.
 * @returns the keys, or what is wrong as a sentence. The sentence never holds the value.
 */
export function parseSecretKeys(value: string): SecretKey[] | string {
  const pieces = value.split(',').map((piece) => piece.trim());
  const keys: SecretKey[] = [];
  for (const [index, piece] of pieces.entries()) {
    const colon = piece.indexOf(':');
    const which = pieces.length === 1 ? 'the key' : `key ${index + 1} of the list`;
    if (colon === -1 && pieces.length > 1) return `${which} has no id: write it as id:base64`;
    const id = colon === -1 ? unnamed : piece.slice(0, colon);
    if (!keyId.test(id)) return `the id of ${which} may hold letters, digits, - and _ (at most 32)`;
    if (keys.some((key) => key.id === id)) return `two keys have the id ${id}`;
    const encoded = piece.slice(colon + 1);
    const bytes = base64.test(encoded) ? Buffer.from(encoded, 'base64') : Buffer.alloc(0);
    if (bytes.length !== keyBytes) {
      return `${which} is not base64 of ${keyBytes} bytes; openssl rand -base64 ${keyBytes} makes one`;
    }
    keys.push({ id, bytes });
  }
  return keys;
}

/**
 * The key of the embedded default: made on first use and kept in `secret.key` of the data folder, readable by its
 * owner alone. Whoever loses it loses what it sealed.
 */
export function loadOrCreateSecretKey(dataDir: string): SecretKey[] {
  const path = join(dataDir, 'secret.key');
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const present = readIfPresent(path) ?? create(path);
  const keys = parseSecretKeys(present.trim());
  if (typeof keys === 'string') throw new ConfigurationError([{ path, message: keys }]);
  return keys;
}

/** Written whole beside its place and then linked there: of several processes one wins, and none reads half a key. */
function create(path: string): string {
  const draft = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`;
  const key = `${randomBytes(keyBytes).toString('base64')}\n`;
  writeFileSync(draft, key, { mode: 0o600, flag: 'wx' });
  try {
    linkSync(draft, path);
    return key;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return readFileSync(path, 'utf8');
  } finally {
    unlinkSync(draft);
  }
}

function readIfPresent(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
