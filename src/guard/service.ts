import type { Settings } from '../config/types.ts';
import type { Crypto } from '../crypto/types.ts';
import { parseDuration } from '../lib/duration.ts';
import type { RandomSource } from '../lib/ids.ts';
import type { Db } from '../storage/types.ts';
import { addressKey } from './address.ts';
import { createDevices } from './devices.ts';
import {
  countFailure,
  countSuccess,
  type LockRules,
  lockedUntil,
  readLock,
  removeLock,
} from './lock-store.ts';
import { countSends, type History, type Lock, removeNewest, withoutNewest } from './send-store.ts';
import { type GuardDocument, type Limit, parseLimit } from './settings.ts';
import { type Budget, countTry, givingTryBack } from './throttle-store.ts';
import type { Allowed, Guard } from './types.ts';

/** Wrong tries in a row at short backup codes: one in 500 would be guessed by then, of ten codes with five digits. */
const strictConsecutive = 20;

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

/** A run of wrong passwords for one account is kept this long after its last one. */
const RUN_KEPT_MS = 400 * DAY_MS;

export interface GuardDeps {
  /** The outer handle: what is counted is committed by itself. */
  db: Db;
  crypto: Crypto;
  random: RandomSource;
  settings: Settings;
}

export function createGuard({ db, crypto, random, settings }: GuardDeps): Guard {
  const rules = () => settings.get<GuardDocument>('guard');
  return {
    ...createDevices(crypto, random),

    subjectKey: (normalisedIdentifier) => crypto.mac('identifier', normalisedIdentifier),

    lockedUntil: readLock,
    locking: lockedUntil,

    async failed(handle, subjectKey, factor, now, options) {
      return {
        lockedUntil: await countFailure(
          handle,
          subjectKey,
          factor,
          lockRules(rules(), options?.strict ?? false),
          now,
        ),
      };
    },

    async succeeded(handle, subjectKey, factor) {
      await countSuccess(handle, subjectKey, factor).execute();
    },
    succeeding: countSuccess,
    unlock: removeLock,

    async allowPassword(request, now) {
      const closed = await countTry(db, budgets(rules(), request), now);
      return refusal(closed.map(({ rule, until }) => ({ rule, retryAt: until })));
    },

    passingPassword: (request, now) => givingTryBack(budgets(rules(), request), now),

    allowSend: (request, now) => allowSend(db, histories(rules(), request), request.lock ?? null, now),

    sendVerified: ({ ip }) => removeNewest(db, [addressHistory(ip)]),
    verifyingSend: (handle, { ip }) => withoutNewest(handle, addressHistory(ip)),
  };
}

function lockRules({ locks }: GuardDocument, strict: boolean): LockRules {
  return {
    after: strict ? Math.max(2, Math.floor(locks.after / 2)) : locks.after,
    firstMs: parseDuration(locks.first),
    longestMs: parseDuration(locks.longest),
    consecutive: strict ? Math.min(locks.consecutive, strictConsecutive) : locks.consecutive,
  };
}

/**
 * What a password try is counted against: a browser that this user has logged in with before has tries of its own, so
 * that strangers use up neither the account's for it nor those of the address that they share.
 */
function budgets(
  { passwords, locks }: GuardDocument,
  { subjectKey, ip, deviceId }: Parameters<Guard['allowPassword']>[0],
): Budget[] {
  const longestWaitMs = parseDuration(passwords.longestWait);
  const waits = { firstWaitMs: parseDuration(passwords.firstWait), longestWaitMs };
  const perUser = {
    ...waits,
    subjectKey,
    forgivenMs: longestWaitMs,
    consecutive: locks.consecutive,
    keptMs: RUN_KEPT_MS,
  };
  if (deviceId !== null) {
    return [{ ...perUser, rule: 'device', factor: `password:${deviceId}`, free: passwords.perDevice }];
  }
  return [
    { ...perUser, rule: 'account', factor: 'password:', free: passwords.perAccount },
    {
      ...waits,
      rule: 'address',
      subjectKey: addressKey(ip),
      factor: 'address',
      free: passwords.perAddress,
      forgivenMs: MINUTE_MS,
      consecutive: null,
      keptMs: DAY_MS,
    },
  ];
}

const addressHistory = (ip: string): string => `address:${addressKey(ip)}`;

function histories(
  { sends }: GuardDocument,
  { numberHash, userId, ip }: Parameters<Guard['allowSend']>[0],
): History[] {
  const all: [rule: string, key: string | null, limits: string[]][] = [
    ['number', `number:${numberHash}`, sends.perNumber],
    ['user', userId === null ? null : `user:${userId}`, sends.perUser],
    ['address', ip === null ? null : addressHistory(ip), sends.perAddress],
  ];
  return all.flatMap(([rule, key, written]) =>
    key !== null && written.length > 0 ? [{ rule, key, limits: written.map(parseLimit) }] : [],
  );
}

async function allowSend(db: Db, histories: History[], lock: Lock | null, now: Date): Promise<Allowed> {
  if (histories.length === 0) {
    const until = lock && (await readLock(db, lock.subjectKey, lock.factor, now));
    return until ? { allowed: false, rule: 'lock', retryAt: until } : { allowed: true };
  }
  const { lockedUntil, counted } = await countSends(db, histories, lock, now);
  if (lockedUntil) return { allowed: false, rule: 'lock', retryAt: lockedUntil };
  if (counted.every((one) => one.counted)) return { allowed: true };
  await removeNewest(
    db,
    counted.filter((one) => one.counted).map(({ key }) => key),
  );
  const refused = refusal(
    histories.flatMap(({ rule, key, limits }) => {
      const times = counted.find((one) => one.key === key)?.times ?? [];
      return limits.flatMap((limit) => {
        const retryAt = freeAt(limit, times);
        return retryAt > now ? [{ rule, retryAt }] : [];
      });
    }),
  );
  // None seen at its limit: another message was counted at this very moment. Now it is to be seen.
  return refused.allowed ? allowSend(db, histories, lock, now) : refused;
}

/** When the limit has room again, judged by the moments of the messages (oldest first). */
function freeAt({ count, withinMs }: Limit, times: number[]): Date {
  return new Date((times.at(-count) ?? 0) + withinMs);
}

/** The last of the refusals to end is the one that is told. */
function refusal(refusals: { rule: string; retryAt: Date }[]): Allowed {
  const [last] = refusals.toSorted((a, b) => b.retryAt.getTime() - a.retryAt.getTime());
  return last ? { allowed: false, ...last } : { allowed: true };
}
