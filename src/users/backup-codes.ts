import type { Crypto } from '../crypto/types.ts';
import { newId, type RandomSource } from '../lib/ids.ts';
import type { Fault } from '../lib/problem.ts';
import type { Db, Tx } from '../storage/types.ts';
import { countUnusedCodes, readMade, replaceCodes, unusedCodes, useCode } from './store.ts';
import type { BackupCodes, KeptCodes } from './types.ts';

const count = 10;
const minimumBits = 50;

/** Crockford's base 32: five bits a character, without I, L, O and U. Ten characters carry 50 bits. */
const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const length = 10;

const ignored = /[\s\p{Pd}\p{Cf}]/gu;

/** What is compared: look-alikes read as the digit they resemble, case, spaces and hyphens forgotten. */
export const normaliseCode = (typed: string): string =>
  typed.normalize('NFKC').replace(ignored, '').toUpperCase().replace(/O/gu, '0').replace(/[IL]/gu, '1');

/** True when guessing it takes fewer than 50 bits. Only what is seen can be judged: digits alone, or more. */
export function isShort(normalised: string): boolean {
  const symbols = /^\d*$/u.test(normalised) ? 10 : alphabet.length;
  return [...normalised].length * Math.log2(symbols) < minimumBits;
}

const newCode = (random: RandomSource): string =>
  Array.from(random(length), (byte) => alphabet[byte % alphabet.length]).join('');

const grouped = (code: string): string => `${code.slice(0, length / 2)}-${code.slice(length / 2)}`;

/** The codes of a list as administrators write it: `10300,21390`, or a list already. */
export const readCodeList = (codes: string | readonly string[]): string[] =>
  (typeof codes === 'string' ? codes.split(',') : [...codes]).map((code) => code.trim()).filter(Boolean);

/** What the field for them takes. */
const longest = 64;

/**
 * What is wrong with a list, by its place in the member `path`.
 * @param refused codes that everyone can read.
 */
export function faultsOfCodes(codes: readonly string[], refused: readonly string[], path: string): Fault[] {
  const known = new Set(refused.map(normaliseCode));
  return codes.flatMap((code, index) => {
    const at = (message: string): Fault[] => [{ path: `${path}[${index}]`, message }];
    const normalised = normaliseCode(code);
    if (normalised === '') return at('is empty');
    if (code.length > longest) return at(`is longer than ${longest} characters: nobody could type it`);
    return known.has(normalised) ? at('is a backup code of the demo, which everyone can read') : [];
  });
}

export function createBackupCodes(deps: {
  crypto: Crypto;
  random: RandomSource;
  /** Codes that never count, whatever the database holds: those of the demo, outside it. */
  refused: readonly string[];
}): BackupCodes {
  const refused = new Set(deps.refused.map(normaliseCode));

  async function store(tx: Tx, userId: string, codes: string[], now: Date): Promise<KeptCodes> {
    const normalised = [...new Set(codes.map(normaliseCode))];
    const rows = normalised.map((code) => ({
      id: newId('bkc', deps.random),
      user_id: userId,
      code_hash: deps.crypto.mac('backup-code', userId, code),
      short: isShort(code),
      created_at: now,
      used_at: null,
    }));
    await replaceCodes(tx, userId, rows);
    return { count: rows.length, short: rows.filter(({ short }) => short).length };
  }

  /** Under every key, so that codes outlive a rotation of `SECRET_KEY`. None for what cannot be a code. */
  function hashesOf(userId: string, typed: string): string[] {
    const code = normaliseCode(typed);
    return code === '' || refused.has(code) ? [] : deps.crypto.macs('backup-code', userId, code);
  }

  return {
    left: countUnusedCodes,
    made: readMade,
    async use(tx, userId, code, now) {
      const hashes = hashesOf(userId, code);
      return hashes.length > 0 && useCode(tx, userId, hashes, now);
    },
    async look(db: Db, userId, typed) {
      const code = normaliseCode(typed);
      const counts = code !== '' && !refused.has(code);
      const rows = await unusedCodes(db, userId);
      const matching = rows.filter(({ code_hash }) =>
        deps.crypto.verifyMac(code_hash, 'backup-code', userId, code),
      );
      return { matches: counts && matching.length > 0, short: rows.some(({ short }) => short) };
    },
    async create(tx, userId, now) {
      const codes = new Set<string>();
      while (codes.size < count) codes.add(newCode(deps.random));
      await store(tx, userId, [...codes], now);
      return [...codes].map(grouped);
    },
    faults: (codes) =>
      codes.length === 0
        ? [{ path: 'codes', message: 'are none: write them with commas between them' }]
        : faultsOfCodes(codes, deps.refused, 'codes'),
    replace(tx, userId, codes, now) {
      const some = codes.filter((code) => normaliseCode(code) !== '');
      return store(tx, userId, some, now);
    },
  };
}
