import { Ajv } from 'ajv';
import { createCrypto } from '../../src/crypto/index.ts';
import { createGuard, type GuardDeps, type GuardDocument, guardSection } from '../../src/guard/index.ts';
import type { VerifiedSend } from '../../src/guard/types.ts';
import { systemRandom } from '../../src/lib/ids.ts';
import { sendRiders } from '../../src/storage/index.ts';
import type { Db, Storage } from '../../src/storage/types.ts';

export const start = new Date('2025-01-01T12:00:00Z');

/** So many seconds after the start. */
export const at = (seconds: number) => new Date(start.getTime() + seconds * 1_000);

export const MINUTE = 60;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

export const crypto = createCrypto([{ id: 'k1', bytes: Buffer.alloc(32, 7) }]);

export const section = guardSection({ crypto });

/** What an empty file means. */
export function defaults(written: object = {}): GuardDocument {
  const document = structuredClone(written);
  new Ajv({ useDefaults: true, strict: false }).compile(section.schema)(document);
  return document as GuardDocument;
}

export function guardOn(
  { db }: Storage,
  document: GuardDocument = defaults(),
  decided: GuardDeps['decided'] = () => {},
  postLookup: GuardDeps['postLookup'] = noVendor,
) {
  const settings = { get: <T>() => document as T };
  return createGuard({ db, crypto, random: systemRandom, settings, decided, ask: noVendor, postLookup });
}

async function noVendor(): Promise<never> {
  throw new Error('no vendor is asked here');
}

export const times = <T>(n: number, work: (i: number) => Promise<T>) =>
  Promise.all(Array.from({ length: n }, (_, i) => work(i)));

type Guard = ReturnType<typeof guardOn>;

/** The code of a message was typed. */
export const verified = (guard: Guard, db: Db, sent: VerifiedSend) =>
  sendRiders(db, [guard.verifyingSend(db, sent)]);

/** A factor was passed. */
export const succeeded = (guard: Guard, db: Db, subject: string) =>
  sendRiders(db, [guard.succeeding(db, subject, 'sms-otp')]);
