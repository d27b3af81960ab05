import type { Crypto } from '../crypto/types.ts';
import type { Delivery } from '../delivery/types.ts';
import { after } from '../lib/clock.ts';
import { newId, type RandomSource } from '../lib/ids.ts';
import { happened, sendRiders } from '../storage/index.ts';
import type { Tx } from '../storage/types.ts';
import { makeCode, normaliseCode } from './codes.ts';
import { isLive } from './live.ts';
import {
  accepting,
  consuming,
  countSend,
  dropping,
  insertCode,
  insertingFirst,
  killingAll,
  liveCodes,
  sendState,
} from './store.ts';
import { spendTry, triesLeft } from './tries.ts';
import type { IssueRequest, Otp, Reserved } from './types.ts';

export interface OtpDeps {
  crypto: Crypto;
  random: RandomSource;
  /** Knows of codes that gateways made themselves. */
  delivery: Pick<Delivery, 'keptElsewhere' | 'checkKept'>;
}

export function createOtp(deps: OtpDeps): Otp {
  const kept = deps.delivery.keptElsewhere;
  return {
    issue: (tx, request, now) => issue(deps, tx, request, now),

    async find(db, scope, settings, now) {
      const rows = await liveCodes(db, scope);
      const challenge = rows[0];
      if (!challenge) return null;
      const live = rows.filter((row) => row.codeExpiresAt !== null && row.codeExpiresAt > now);
      const triesBefore = rows.map((row) => row.triesBefore ?? challenge.tries);
      return {
        id: challenge.id,
        sends: challenge.sends,
        lastSentAt: challenge.lastSentAt,
        triesLeft: live.length === 0 ? 0 : triesLeft(challenge.tries, triesBefore, settings.attempts),
        codeId: live[0]?.codeId ?? null,
        codeExpiresAt: live[0]?.codeExpiresAt ?? null,
      };
    },

    first: (_db, request, now) => draftFirst(prepare(deps, request, now)),
    accepting: (_db, codeId, now) => accepting(codeId, now),
    isLive,
    dropping,
    killingAll,

    async reserve(db, scope, { attempts }, beside) {
      const { live: rows, lockedUntil } = await spendTry(db, { scope, attempts, kept, ...beside });
      const first = rows[0];
      if (lockedUntil) return { status: 'locked', until: lockedUntil };
      if (!first) return { status: 'none' };
      if (first.tries === null) return { status: 'exhausted' };
      const triesBefore = rows.map((row) => row.triesBefore);
      return {
        status: 'reserved',
        challengeId: first.challengeId,
        triesLeft: triesLeft(first.tries, triesBefore, attempts),
        counts: first.counts,
        candidates: rows.map(({ codeId, hash, expiresAt, kept }) => ({ codeId, hash, expiresAt, kept })),
      };
    },

    match: (reservation, typed, now) => match(deps, reservation, normaliseCode(typed), now),

    check: (reservation, typed, now) => check(deps, reservation, normaliseCode(typed), now),

    consuming,
  };
}

function match(
  { crypto }: OtpDeps,
  { candidates, challengeId }: Reserved,
  code: string,
  now: Date,
): { codeId: string } | 'wrong' | 'expired' {
  // Every candidate is compared, so that the time tells nothing. What only a gateway has sent is no code of ours.
  const equal = candidates.filter(
    ({ hash, kept }) => crypto.verifyMac(hash, 'otp', challengeId, code) && kept?.ours !== false,
  );
  const valid = equal.find(({ expiresAt }) => expiresAt > now);
  if (valid) return { codeId: valid.codeId };
  return equal.length > 0 ? 'expired' : 'wrong';
}

/** Ours first, which costs nothing and nobody's tries; the newest of theirs is the one that people type. */
async function check(
  deps: OtpDeps,
  reservation: Reserved,
  code: string,
  now: Date,
): ReturnType<Otp['check']> {
  const own = match(deps, reservation, code, now);
  const live = reservation.candidates.filter(({ expiresAt }) => expiresAt > now).reverse();
  const kept = live.flatMap((one) => one.kept?.by ?? []);
  if (typeof own === 'object' || kept.length === 0) return own;
  const answer = await deps.delivery.checkKept(kept, code);
  if (answer.is !== 'right') return own === 'expired' && answer.is !== 'unchecked' ? own : answer.is;
  const right = live.find((one) => one.kept?.by.some(({ message }) => message === answer.message));
  return right ? { codeId: right.codeId } : 'unchecked';
}

/** A code that is about to be issued. */
function prepare(
  { crypto, random }: OtpDeps,
  { scope, userId, settings, expiresAt: scopeEnds }: IssueRequest,
  now: Date,
) {
  const maxSends = settings.resends + 1;
  const attempt = {
    ...{ id: newId('chl', random), scope, userId, maxSends, now, expiresAt: scopeEnds },
    sentBefore: after(now, -settings.resendAfterMs),
  };
  const code = makeCode(settings, random);
  const codeId = newId('otp', random);
  const codeEnds = after(now, settings.expiresMs);
  const expiresAt = codeEnds < scopeEnds ? codeEnds : scopeEnds;
  // The challenge's id stands for its scope: a hash moved to another challenge matches nothing.
  const hashFor = (challengeId: string) => crypto.mac('otp', challengeId, code);
  return { attempt, hashFor, issued: { codeId, code, expiresAt } };
}

type Prepared = ReturnType<typeof prepare>;

const draftFirst = ({ attempt, hashFor, issued }: Prepared) => ({
  issued: { ...issued, challengeId: attempt.id },
  ...insertingFirst(attempt, {
    ...{ id: issued.codeId, hash: hashFor(attempt.id), expiresAt: issued.expiresAt },
  }),
});

async function issue(
  deps: OtpDeps,
  tx: Tx,
  request: IssueRequest,
  now: Date,
): Promise<Awaited<ReturnType<Otp['issue']>>> {
  const prepared = prepare(deps, request, now);
  const { attempt, hashFor, issued } = prepared;
  const { settings, scope } = request;
  const draft = draftFirst(prepared);
  if (await happened(tx, draft.guard)) {
    await sendRiders(tx, draft.riders);
    return draft.issued;
  }
  const challenge = await countSend(tx, attempt);
  if (!challenge) {
    const { spent, lastSentAt } = await sendState(tx, scope, attempt.maxSends);
    if (spent || !lastSentAt) return { refused: 'too-many' };
    return { refused: 'too-soon', retryAt: after(lastSentAt, settings.resendAfterMs) };
  }
  const hash = hashFor(challenge.id);
  const { codeId: id, expiresAt } = issued;
  await insertCode(tx, { id, challenge, hash, attempts: settings.attempts, now, expiresAt });
  return { ...issued, challengeId: challenge.id };
}
