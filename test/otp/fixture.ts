import { randomBytes } from 'node:crypto';
import { createCrypto } from '../../src/crypto/index.ts';
import { keptElsewhere } from '../../src/delivery/codes/store.ts';
import { systemRandom } from '../../src/lib/ids.ts';
import { createOtp, otpDefaults, otpSettings } from '../../src/otp/index.ts';
import type { IssuedCode, OtpSettings } from '../../src/otp/types.ts';
import { sendRiders, writeTogether } from '../../src/storage/index.ts';
import type { Storage } from '../../src/storage/types.ts';

export const settings = otpSettings(otpDefaults);

export const start = new Date('2025-01-01T12:00:00Z');

/** So many seconds after the start. */
export const at = (seconds: number) => new Date(start.getTime() + seconds * 1_000);

/** Codes of one scope on a real database, with short words for what a login does with them. */
export function codesOn(
  { db, transaction }: Storage,
  scope = `login:${randomBytes(8).toString('hex')}:second`,
) {
  const crypto = createCrypto([{ id: 'k1', bytes: Buffer.alloc(32, 7) }]);
  const delivery = { keptElsewhere, checkKept: async () => ({ is: 'unchecked' }) as const };
  const otp = createOtp({ crypto, random: systemRandom, delivery });
  const tryIssue = (seconds: number, own: Partial<OtpSettings> = {}, userId: string | null = 'usr_1') =>
    transaction((tx) =>
      otp.issue(tx, { scope, userId, settings: { ...settings, ...own }, expiresAt: at(900) }, at(seconds)),
    );
  return {
    otp,
    scope,
    tryIssue,
    async issue(seconds: number, own: Partial<OtpSettings> = {}): Promise<IssuedCode> {
      const issued = await tryIssue(seconds, own);
      if ('refused' in issued) throw new Error(issued.refused);
      return issued;
    },
    /** Spends a try; answers the code that matched, or why none did. */
    async type(typed: string, seconds: number, own: Partial<OtpSettings> = {}) {
      const reservation = await otp.reserve(db, scope, { ...settings, ...own });
      if (reservation.status !== 'reserved') return reservation.status;
      const match = otp.match(reservation, typed, at(seconds));
      return typeof match === 'string' ? match : match.codeId;
    },
    find: (seconds: number) => otp.find(db, scope, settings, at(seconds)),
    accepted: (code: IssuedCode, seconds: number) =>
      sendRiders(db, [otp.accepting(db, code.codeId, at(seconds))]),
    undelivered: (code: IssuedCode, seconds: number) =>
      sendRiders(db, [otp.dropping(db, code.codeId, at(seconds))]),
    consume(codeId: string, seconds: number) {
      const { guard, riders } = otp.consuming(db, codeId, at(seconds));
      return writeTogether(db, [guard], riders);
    },
  };
}

/** A code of the same shape that is not this one. */
export const wrong = (code: string): string => (code[0] === '9' ? '1' : '9') + code.slice(1);
