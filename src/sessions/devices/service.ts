import type { Audit } from '../../audit/types.ts';
import type { Crypto } from '../../crypto/types.ts';
import { after } from '../../lib/clock.ts';
import { newId, type RandomSource } from '../../lib/ids.ts';
import type { Tx } from '../../storage/types.ts';
import { deviceOf } from '../device.ts';
import type { Devices, StepPass } from '../types.ts';
import { endDevices, findLive, inserting, joinedDevices, listLive, rotating } from './store.ts';
import { createTokens } from './token.ts';

export interface DevicesDeps {
  crypto: Crypto;
  random: RandomSource;
  audit: Audit;
}

/** Longer than any flow may let a browser go without a step. A device in use is kept. */
const lifeMs = 365 * 24 * 60 * 60_000;
/** Tabs that were open together, and an answer that was lost on the way, still come with the value of before. */
const graceMs = 60_000;

const keyOf = (pass: Pick<StepPass, 'app' | 'flow' | 'step'>): string =>
  [pass.app, pass.flow, pass.step].join('/');

export function createDevices({ crypto, random, audit }: DevicesDeps): Devices {
  const tokens = createTokens(crypto);
  const revoke = ending(audit);

  return {
    namedBy: tokens.named,
    joined: joinedDevices,

    async find(db, cookie, userId, now, named) {
      const presented = tokens.read(cookie, userId);
      if (!presented) return null;
      const live = named ?? (await findLive(db, [presented.id], now));
      const row = live.find((one) => one.id === presented.id && one.userId === userId);
      if (!row) return null;
      const { generation, id, passes, rotatedAt } = row;
      // Ahead of the row: it was put back from a backup, and the cookie is the newer truth.
      const current = presented.generation >= generation;
      const late = now.getTime() - Date.parse(rotatedAt) > graceMs;
      const copied = !current && (late || presented.generation < generation - 1);
      const next = current ? presented.generation + 1 : generation;
      return { id, copied, next, passes: copied ? [] : Object.values(passes) };
    },

    using(_db, { cookie, device, ip, passes, userAgent, userId }, now) {
      const use = {
        ...{ id: device?.id ?? newId('rdv', random), ip, expiresAt: after(now, lifeMs) },
        userAgent: userAgent?.slice(0, 300) ?? null,
        passes: Object.fromEntries(passes.map((pass) => [keyOf(pass), pass])),
      };
      const generation = device?.next ?? 1;
      return {
        id: use.id,
        cookie: tokens.write(cookie, userId, { id: use.id, generation }),
        ...(device
          ? { guards: [rotating(userId, generation, use, now)], riders: [] }
          : { guards: [], riders: [inserting(userId, use, now)] }),
      };
    },

    idOf: (cookie, userId) => tokens.read(cookie, userId)?.id ?? null,

    async list(db, userId, now) {
      const rows = await listLive(db, userId, now);
      return rows.map(({ createdAt, expiresAt, id, ip, lastUsedAt, passes, userAgent }) => ({
        ...{ id, ip, createdAt, lastUsedAt, expiresAt, device: deviceOf(userAgent) },
        passes: Object.values(passes),
      }));
    },

    async revoke(tx, userId, id, reason, now) {
      return (await revoke(tx, userId, { id }, reason, now)) > 0;
    },

    revokeAll: (tx, userId, reason, now, exceptId) => revoke(tx, userId, { exceptId }, reason, now),
  };
}

/** Whoever asks for it: each end is on record. Answers how many ended. */
const ending =
  (audit: Audit) =>
  async (tx: Tx, userId: string, which: Parameters<typeof endDevices>[2], reason: string, now: Date) => {
    const ended = await endDevices(tx, userId, which, reason, now);
    const events = ended.map((device) => ({
      ...{ name: 'device.revoked', subject: userId, reason, data: { device } },
    }));
    await audit.record(tx, now, events);
    return ended.length;
  };
