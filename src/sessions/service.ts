import type { Audit } from '../audit/types.ts';
import type { Settings } from '../config/types.ts';
import { sha256 } from '../crypto/index.ts';
import { after } from '../lib/clock.ts';
import { parseDuration } from '../lib/duration.ts';
import { newId, type RandomSource } from '../lib/ids.ts';
import { sendRiders } from '../storage/index.ts';
import type { Tx } from '../storage/types.ts';
import { deviceOf } from './device.ts';
import type { SessionsDocument } from './settings.ts';
import { addFactors, endSessions, insertSession, listLive, readByCookie, readById } from './store.ts';
import type { EndedSession, Sessions } from './types.ts';

export interface SessionsDeps {
  settings: Settings;
  random: RandomSource;
  audit: Audit;
  /** Hears of every end of sessions but by time, within its transaction. */
  ended?(tx: Tx, sessions: EndedSession[]): Promise<void>;
}

export function createSessions({ settings, random, audit, ended: tell }: SessionsDeps): Sessions {
  const end = ending(audit, tell);
  const draft: Sessions['draft'] = (_db, { country = null, ...session }, now) => {
    const { idle, absolute } = settings.get<SessionsDocument>('sessions');
    const id = newId('ses', random);
    const expiresAt = after(now, parseDuration(absolute));
    const times = { idleExpiresAt: after(now, parseDuration(idle)), expiresAt };
    return {
      session: {
        ...session,
        id,
        expiresAt,
        authTime: now,
        createdAt: now,
        lastSeenAt: now,
        longestGapSeconds: 0,
      },
      rider: insertSession({ ...session, ...times, id, country }, now),
    };
  };

  return {
    async findByCookie(db, cookie, now) {
      return (await readByCookie(db, sha256(cookie), now))?.session;
    },

    async find(db, id, now) {
      return (await readById(db, id, now))?.session;
    },

    async list(db, userId, now) {
      const live = await listLive(db, userId, now);
      return live.map((session) => ({ ...session, device: deviceOf(session.userAgent) }));
    },

    async create(tx, session, now) {
      const created = draft(tx, session, now);
      await sendRiders(tx, [created.rider]);
      return created.session;
    },

    draft,

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

/** Whoever asks for it: each end is on record. Answers how many ended. */
function ending(audit: Audit, tell: SessionsDeps['ended']) {
  return async (tx: Tx, which: Parameters<typeof endSessions>[1], reason: string, now: Date) => {
    const ended = await endSessions(tx, which, reason, now);
    const events = ended.map(({ id, userId }) => ({
      name: 'session.revoked',
      subject: userId,
      sessionId: id,
      reason,
    }));
    await audit.record(tx, now, events);
    if (ended.length > 0) await tell?.(tx, ended);
    return ended.length;
  };
}
