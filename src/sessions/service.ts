import type { Audit } from '../audit/types.ts';
import type { Settings } from '../config/types.ts';
import { sha256 } from '../crypto/index.ts';
import { after } from '../lib/clock.ts';
import { parseDuration } from '../lib/duration.ts';
import { newId, type RandomSource } from '../lib/ids.ts';
import type { Tx } from '../storage/types.ts';
import type { SessionsDocument } from './settings.ts';
import { addFactors, endSessions, insertSession, readByCookie, readById } from './store.ts';
import type { Sessions } from './types.ts';

export interface SessionsDeps {
  settings: Settings;
  random: RandomSource;
  audit: Audit;
}

export function createSessions({ settings, random, audit }: SessionsDeps): Sessions {
  /** Whoever asks for it: each end is on record. Answers how many ended. */
  async function end(tx: Tx, which: Parameters<typeof endSessions>[1], reason: string, now: Date) {
    const ended = await endSessions(tx, which, reason, now);
    const events = ended.map(({ id, userId }) => ({
      name: 'session.revoked',
      subject: userId,
      sessionId: id,
      reason,
    }));
    await audit.record(tx, now, events);
    return ended.length;
  }

  return {
    async findByCookie(db, cookie, now) {
      return (await readByCookie(db, sha256(cookie), now))?.session;
    },

    async find(db, id, now) {
      return (await readById(db, id, now))?.session;
    },

    create(tx, session, now) {
      const { idle, absolute } = settings.get<SessionsDocument>('sessions');
      const times = {
        idleExpiresAt: after(now, parseDuration(idle)),
        expiresAt: after(now, parseDuration(absolute)),
      };
      return insertSession(tx, { ...session, ...times, id: newId('ses', random) }, now);
    },

    async strengthen(tx, id, factors, now) {
      return addFactors(tx, id, factors, now);
    },

    async revoke(tx, id, reason, now) {
      await end(tx, { id }, reason, now);
    },

    async revokeAll(tx, userId, reason, now, exceptId) {
      return end(tx, { userId, exceptId }, reason, now);
    },
  };
}
