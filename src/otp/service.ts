import type { Crypto } from '../crypto/types.ts';
import { after } from '../lib/clock.ts';
import { newId, type RandomSource } from '../lib/ids.ts';
import { makeCode, normaliseCode } from './codes.ts';
import {
  acceptCode,
  consumeCode,
  countSend,
  dropCode,
  insertCode,
  insertFirst,
  liveCodes,
  sendState,
  spendTry,
  triesLeft,
} from './store.ts';
import type { Otp } from './types.ts';

export interface OtpDeps {
  crypto: Crypto;
  random: RandomSource;
}

export function createOtp(deps: OtpDeps): Otp {
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

    accepted: acceptCode,
    undelivered: dropCode,

    async reserve(db, scope, settings) {
      const rows = await spendTry(db, scope, settings.attempts);
      const first = rows[0];
      if (!first) return { status: 'none' };
      if (first.tries === null) return { status: 'exhausted' };
      const triesBefore = rows.map((row) => row.triesBefore);
      return {
        status: 'reserved',
        challengeId: first.challengeId,
        triesLeft: triesLeft(first.tries, triesBefore, settings.attempts),
        candidates: rows.map(({ codeId, hash, expiresAt }) => ({ codeId, hash, expiresAt })),
      };
    },

    match(reservation, typed, now) {
      const code = normaliseCode(typed);
      // Every candidate is compared, so that the time tells nothing.
      const equal = reservation.candidates.filter(({ hash }) =>
        deps.crypto.verifyMac(hash, 'otp', reservation.challengeId, code),
      );
      const valid = equal.find(({ expiresAt }) => expiresAt > now);
      if (valid) return { codeId: valid.codeId };
      return equal.length > 0 ? 'expired' : 'wrong';
    },

    consume: consumeCode,
  };
}

async function issue(
  { crypto, random }: OtpDeps,
  tx: Parameters<Otp['issue']>[0],
  { scope, userId, settings, expiresAt: scopeEnds }: Parameters<Otp['issue']>[1],
  now: Date,
): ReturnType<Otp['issue']> {
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
  const issued = { codeId, code, expiresAt };
  if (await insertFirst(tx, attempt, { id: codeId, hash: hashFor(attempt.id), expiresAt })) {
    return { ...issued, challengeId: attempt.id };
  }
  const challenge = await countSend(tx, attempt);
  if (!challenge) {
    const { spent, lastSentAt } = await sendState(tx, scope, maxSends);
    if (spent || !lastSentAt) return { refused: 'too-many' };
    return { refused: 'too-soon', retryAt: after(lastSentAt, settings.resendAfterMs) };
  }
  const hash = hashFor(challenge.id);
  await insertCode(tx, { id: codeId, challenge, hash, attempts: settings.attempts, now, expiresAt });
  return { ...issued, challengeId: challenge.id };
}
