import type { Settings } from '../config/types.ts';
import { sha256 } from '../crypto/index.ts';
import { after } from '../lib/clock.ts';
import { parseDuration } from '../lib/duration.ts';
import { newId, type RandomSource } from '../lib/ids.ts';
import { Problem } from '../lib/problem.ts';
import type { SessionsDocument } from './settings.ts';
import { addFactors, endSessions, insertSession, readByCookie, readById } from './store.ts';
import type { Sessions } from './types.ts';

export interface SessionsDeps {
  settings: Settings;
  random: RandomSource;
}

export function createSessions({ settings, random }: SessionsDeps): Sessions {
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
      const session = await addFactors(tx, id, factors, now);
      if (session) return session;
      throw new Problem({ status: 409, code: 'session_ended', message: 'This session has ended meanwhile.' });
    },

    async revoke(tx, id, reason, now) {
      await endSessions(tx, { id }, reason, now);
    },

    async revokeAll(tx, userId, reason, now, exceptId) {
      return (await endSessions(tx, { userId, exceptId }, reason, now)).length;
    },
  };
}
