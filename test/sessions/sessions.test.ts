import t from 'tap';
import { createAudit } from '../../src/audit/index.ts';
import { sha256 } from '../../src/crypto/index.ts';
import { systemRandom } from '../../src/lib/ids.ts';
import {
  createSessions,
  readByCookie,
  readById,
  type SessionsDocument,
  savingOidc,
  sessionsSection,
} from '../../src/sessions/index.ts';
import type { Factor } from '../../src/sessions/types.ts';
import { happened } from '../../src/storage/index.ts';
import type { Storage } from '../../src/storage/types.ts';
import { forEachDatabase, postgresOnly } from '../helpers/database.ts';

const start = new Date('2025-01-01T12:00:00Z');
const at = (minutes: number) => new Date(start.getTime() + minutes * 60_000);
const HOUR = 60;
const DAY = 24 * HOUR;

const password = (minutes: number): Factor => ({
  method: 'password',
  kind: 'knowledge',
  amr: ['pwd'],
  at: at(minutes).getTime(),
});
const code = (minutes: number): Factor => ({
  method: 'sms-otp',
  kind: 'possession',
  amr: ['sms'],
  at: at(minutes).getTime(),
});

const document: SessionsDocument = { idle: '8h', absolute: '30d' };
const sessions = createSessions({
  settings: { get: <T>() => document as T },
  random: systemRandom,
  audit: createAudit(),
});

const create = ({ transaction }: Storage, minutes = 0, userId = 'usr_1') =>
  transaction((tx) =>
    sessions.create(
      tx,
      { userId, factors: [password(minutes)], ip: '192.0.2.1', userAgent: 'a browser' },
      at(minutes),
    ),
  );

const save = (
  { transaction }: Storage,
  id: string,
  cookie: string,
  minutes: number,
  payload: Record<string, unknown> = {},
) =>
  transaction((tx) => happened(tx, savingOidc(tx, id, { cookieHash: sha256(cookie), payload }, at(minutes))));

await forEachDatabase(t, async (t, storage) => {
  const { db, transaction } = storage;

  t.test('is found by its id and its cookie, of which only a hash is kept', async (t) => {
    const session = await create(storage);
    t.match(session, {
      id: /^ses_[\w-]{22}$/,
      userId: 'usr_1',
      factors: [password(0)],
      authTime: at(0),
      createdAt: at(0),
      lastSeenAt: at(0),
      expiresAt: at(30 * DAY),
      ip: '192.0.2.1',
      userAgent: 'a browser',
    });
    t.equal(await save(storage, session.id, 'cookie-1', 0), true);
    t.strictSame(await sessions.find(db, session.id, at(0)), session);
    t.strictSame(await sessions.findByCookie(db, 'cookie-1', at(0)), session);
    t.equal(await sessions.findByCookie(db, 'cookie-2', at(0)), undefined);
    const row = await db.selectFrom('sessions').selectAll().where('id', '=', session.id).executeTakeFirst();
    t.notMatch(JSON.stringify(row), /cookie-1/);

    t.equal(await save(storage, session.id, 'cookie-2', 0), true);
    t.equal(
      await sessions.findByCookie(db, 'cookie-1', at(0)),
      undefined,
      'a renewed cookie ends the old one',
    );
  });

  t.test('ends when nobody uses it, and in any case', async (t) => {
    for (const [name, uses, minutes, live] of [
      ['not used, just before', [], 8 * HOUR - 1, true],
      ['not used', [], 8 * HOUR, false],
      ['used in between', [7 * HOUR], 8 * HOUR, true],
      ['used in between, then not', [7 * HOUR], 15 * HOUR, false],
      ['used all the time, just before', steps(30 * DAY - 1), 30 * DAY - 1, true],
      ['used all the time', steps(30 * DAY), 30 * DAY, false],
    ] as const) {
      const session = await create(storage);
      await save(storage, session.id, session.id, 0);
      for (const use of uses) await sessions.findByCookie(db, session.id, at(use));
      t.equal(Boolean(await sessions.findByCookie(db, session.id, at(minutes))), live, name);
      t.equal(Boolean(await sessions.find(db, session.id, at(minutes))), live, `${name}, by id`);
      if (!live) t.equal(await save(storage, session.id, 'again', minutes), false, `${name}, not saved`);
    }
  });

  t.test('is written to at most once a minute for being used', async (t) => {
    const session = await create(storage);
    await save(storage, session.id, session.id, 0);
    const seenAfter = async (minutes: number) => {
      await sessions.findByCookie(db, session.id, at(minutes));
      return (await sessions.find(db, session.id, at(minutes)))?.lastSeenAt;
    };
    t.strictSame(await seenAfter(0.9), at(0));
    t.strictSame(await seenAfter(1), at(1));
    t.strictSame(await seenAfter(1.9), at(1));
  });

  t.test('revoked: at once, for every way to it', async (t) => {
    const session = await create(storage);
    await save(storage, session.id, 'kept', 0, { accountId: 'usr_1' });
    await transaction((tx) => sessions.revoke(tx, session.id, 'user', at(1)));
    t.equal(await sessions.find(db, session.id, at(1)), undefined);
    t.equal(await sessions.findByCookie(db, 'kept', at(1)), undefined);
    t.equal(await save(storage, session.id, 'kept', 1), false);
    t.equal(await transaction((tx) => sessions.strengthen(tx, session.id, [code(1)], at(1))), undefined);
    const events = await db.selectFrom('audit_events').select(['name', 'session_id', 'reason']).execute();
    t.strictSame(events, [{ name: 'session.revoked', session_id: session.id, reason: 'user' }]);
  });

  t.test('all of a user, but one', async (t) => {
    const mine = await Promise.all([0, 1, 2].map((minutes) => create(storage, minutes, 'usr_all')));
    const other = await create(storage, 0, 'usr_other');
    const kept = mine[1]!.id;
    t.equal(await transaction((tx) => sessions.revokeAll(tx, 'usr_all', 'reset', at(3), kept)), 2);
    t.ok(await sessions.find(db, kept, at(3)));
    t.ok(await sessions.find(db, other.id, at(3)));
    t.equal(await sessions.find(db, mine[0]!.id, at(3)), undefined);
    t.equal(await transaction((tx) => sessions.revokeAll(tx, 'usr_all', 'reset', at(4))), 1);
  });

  t.test('a further login adds its factors; one of the same method gives way', async (t) => {
    const { id } = await create(storage);
    const strengthen = (factors: Factor[], minutes: number) =>
      transaction((tx) => sessions.strengthen(tx, id, factors, at(minutes)));
    t.match((await strengthen([code(10)], 10)) ?? {}, { factors: [password(0), code(10)], authTime: at(10) });
    t.strictSame((await strengthen([password(20)], 20))?.factors, [code(10), password(20)]);
    t.strictSame((await strengthen([password(30), code(31)], 31))?.factors, [password(30), code(31)]);
    t.strictSame((await sessions.find(db, id, at(31)))?.factors, [password(30), code(31)]);
  });

  t.test('keeps what the OpenID provider gives it, and the authorizations of parallel tabs', async (t) => {
    const { id } = await create(storage);
    t.equal((await readById(db, id, at(0)))?.oidc, null);
    const first = { accountId: 'usr_1', loginTs: 1, authorizations: { shop: { sid: 'a', grantId: 'g1' } } };
    await save(storage, id, 'c1', 0, first);
    t.strictSame((await readByCookie(db, sha256('c1'), at(0)))?.oidc, first);
    await save(storage, id, 'c2', 1, {
      accountId: 'usr_1',
      loginTs: 2,
      authorizations: { mail: { sid: 'b' } },
    });
    t.strictSame((await readByCookie(db, sha256('c2'), at(1)))?.oidc, {
      accountId: 'usr_1',
      loginTs: 2,
      authorizations: { shop: { sid: 'a', grantId: 'g1' }, mail: { sid: 'b' } },
    });
    await save(storage, id, 'c2', 2, { accountId: 'usr_1', authorizations: { shop: null } });
    t.strictSame((await readById(db, id, at(2)))?.oidc, {
      accountId: 'usr_1',
      authorizations: { mail: { sid: 'b' } },
    });
  });
});

await postgresOnly(t, async (t, storage) => {
  const { db, transaction } = storage;

  t.test('sixteen tabs at once lose nothing of each other', async (t) => {
    const { id } = await create(storage);
    const tabs = Array.from({ length: 16 }, (_, i) => i);
    await Promise.all([
      ...tabs.map((i) => save(storage, id, `c${i}`, 0, { authorizations: { [`app${i}`]: { sid: `${i}` } } })),
      ...tabs.map((i) =>
        transaction((tx) => sessions.strengthen(tx, id, [{ ...code(1), method: `m${i}` }], at(1))),
      ),
    ]);
    const found = await readById(db, id, at(1));
    t.equal(Object.keys(found?.oidc?.authorizations ?? {}).length, 16);
    t.equal(found?.session.factors.length, 17);
  });
});

t.test('the setting', async (t) => {
  t.strictSame(sessionsSection.check?.(document, {} as never), []);
  t.match(sessionsSection.check?.({ idle: '30s', absolute: '400d' }, {} as never), [
    { path: 'idle' },
    { path: 'absolute' },
  ]);
});

/** Every seven hours until so many minutes. */
function steps(until: number): number[] {
  return Array.from({ length: Math.floor(until / (7 * HOUR)) }, (_, i) => (i + 1) * 7 * HOUR);
}
