import type { Settings } from '../config/types.ts';
import type { Crypto } from '../crypto/types.ts';
import { parseDuration } from '../lib/duration.ts';
import type { RandomSource } from '../lib/ids.ts';
import type { Db } from '../storage/types.ts';
import { addressKey } from './address.ts';
import { type ChallengeDeps, createChallenges } from './challenge.ts';
import { createDevices } from './devices.ts';
import {
  countFailure,
  countSuccess,
  type LockRules,
  lockedUntil,
  readLock,
  removeLock,
  removeLocks,
} from './lock-store.ts';
import { createLookups, type PostLookup } from './lookups/service.ts';
import { createSends, type Decided } from './sends/service.ts';
import type { GuardDocument } from './settings.ts';
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
  /** Posts a form to a captcha's vendor by the checked way out, and answers the body of a 200. */
  ask: ChallengeDeps['ask'];
  /** Asks whoever knows more of numbers. */
  postLookup: PostLookup;
  /** Told of every decision about a message, for metrics. */
  decided?(decided: Decided): void;
}

export function createGuard(deps: GuardDeps): Guard {
  const { crypto, db, random, settings } = deps;
  const rules = () => settings.get<GuardDocument>('guard');
  const lookupRules = () => rules().lookup;
  return {
    ...createDevices(crypto, random),
    ...createChallenges({ ask: deps.ask, random, rules: () => rules().challenge }),
    ...createSends({
      ...deps,
      rules: () => rules().sends,
      lookupRules,
      lookups: createLookups({ db, random, rules: lookupRules, post: deps.postLookup }),
    }),

    subjectKey: subjectKeys(crypto),

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

    succeeding: countSuccess,
    unlock: removeLock,
    unlockAll: removeLocks,

    async allowPassword(request, now) {
      const closed = await countTry(db, budgets(rules(), request), now);
      return refusal(closed.map(({ rule, until }) => ({ rule, retryAt: until })));
    },

    passingPassword: (request, now) => givingTryBack(budgets(rules(), request), now),
  };
}

/** Under what a subject is counted; see {@link Guard.subjectKey}. */
export const subjectKeys =
  (crypto: Crypto): Guard['subjectKey'] =>
  (normalisedIdentifier) =>
    crypto.mac('identifier', normalisedIdentifier);

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

/** The last of the refusals to end is the one that is told. */
function refusal(refusals: { rule: string; retryAt: Date }[]): Allowed {
  const [last] = refusals.toSorted((a, b) => b.retryAt.getTime() - a.retryAt.getTime());
  return last ? { allowed: false, ...last } : { allowed: true };
}
