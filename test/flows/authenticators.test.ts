import { randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import t from 'tap';
import { createAudit } from '../../src/audit/index.ts';
import { createCrypto, createPasswords } from '../../src/crypto/index.ts';
import { createAuthenticators } from '../../src/flows/index.ts';
import type { Figure } from '../../src/flows/types.ts';
import { systemRandom } from '../../src/lib/ids.ts';
import { happened } from '../../src/storage/index.ts';
import type { Storage } from '../../src/storage/types.ts';
import { createUsers, usersSweeps } from '../../src/users/index.ts';
import type { SecretCredential } from '../../src/users/types.ts';
import { forEachDatabase, postgresOnly } from '../helpers/database.ts';
import { silent } from '../helpers/log.ts';
import { codeAt, wrongCode } from './totp-support.ts';

const now = new Date('2026-03-01T12:00:00Z');
const later = (minutes: number) => new Date(now.getTime() + minutes * 60_000);
const by = { actor: 'usr_1', ip: '127.0.0.1' };

const keys = ['k1', 'k2'].map((id) => ({ id, bytes: randomBytes(32) }));
const [older, newer] = keys as [(typeof keys)[0], (typeof keys)[0]];

const usersUnder = (...secretKeys: typeof keys) =>
  createUsers({
    ...{ passwords: createPasswords(), clock: { now: () => now }, log: silent },
    crypto: createCrypto(secretKeys),
  });

async function openAuthenticators(storage: Storage) {
  const users = usersUnder(older);
  const authenticators = createAuthenticators({
    ...{ storage, users, audit: createAudit(), random: systemRandom, gateway: () => 'Sallyport' },
  });
  const add = (username: string) => storage.transaction((tx) => users.create(tx, { username }, now));
  const user = await add('ada');
  const whose = { user, sessionId: 'ses_1' };
  const addOne = async (at: Date, label = '') => {
    const secret = secretOf(await authenticators.begin(whose, at));
    await authenticators.confirm(whose, { code: codeAt(secret, at), label }, by, at);
    return secret;
  };
  return { users, authenticators, add, user, whose, addOne };
}

const secretOf = ({ href }: Figure): string => new URL(href).searchParams.get('secret') ?? '';

t.test('set up, listed and removed by its user', (t) =>
  forEachDatabase(t, async (t, storage) => {
    const { add, addOne, authenticators, user, whose } = await openAuthenticators(storage);
    const figure = await authenticators.begin(whose, now);
    const secret = secretOf(figure);
    t.match(figure.href, /^otpauth:\/\/totp\/Sallyport:ada\?/);
    t.equal(figure.typing.value.replaceAll(' ', ''), secret);
    t.strictSame(await authenticators.begun(whose, later(14)), figure, 'shown again');
    t.strictSame(await authenticators.list(storage.db, user.id), [], 'not before it is proved');

    const other = { ...whose, sessionId: 'ses_2' };
    const typed = { code: codeAt(secret, now), label: ' Phone ' };
    t.equal(await authenticators.begun(other, now), null, 'another session is not shown it');
    t.strictSame(await authenticators.confirm(other, typed, by, now), { is: 'gone' });
    t.equal(await authenticators.begun({ ...whose, user: await add('eve') }, now), null, 'nor another user');

    const wrong = { ...typed, code: wrongCode(secret, now) };
    t.match(await authenticators.confirm(whose, wrong, by, now), {
      is: 'wrong',
      text: { key: 'totp.wrong' },
    });
    t.strictSame(await authenticators.confirm(whose, typed, by, now), { is: 'added' });
    t.strictSame(await authenticators.confirm(whose, typed, by, now), { is: 'gone' }, 'once');
    const [added] = await authenticators.list(storage.db, user.id);
    t.match(added, { label: 'Phone', createdAt: now });
    t.equal(await authenticators.begun(whose, now), null);

    const { rows } = await sql`select c.*, (select jsonb_agg(a) from audit_events a) as events
      from credentials c`.execute(storage.db);
    t.notMatch(JSON.stringify(rows), secret, 'neither the row nor the record has it in clear');

    await addOne(later(1));
    const eve = await add('mallory');
    t.notOk(await authenticators.remove(eve.id, added!.id, by, now), 'not by somebody else');
    t.ok(await authenticators.remove(user.id, added!.id, by, now));
    t.notOk(await authenticators.remove(user.id, added!.id, by, now));
    t.equal((await authenticators.list(storage.db, user.id)).length, 1);
    const events = await storage.db
      .selectFrom('audit_events')
      .select(['name', 'subject', 'actor', 'data'])
      .where('name', 'like', 'user.factor%')
      .orderBy('at')
      .orderBy('name', 'desc')
      .execute();
    t.strictSame(events.map(({ name }) => name).toSorted(), [
      'user.factor_added',
      'user.factor_added',
      'user.factor_removed',
    ]);
    t.match(events[0], { subject: user.id, actor: 'usr_1', data: { factor: 'totp' } });
  }),
);

t.test('what is begun does not wait for ever, and takes no end of tries', (t) =>
  forEachDatabase(t, async (t, storage) => {
    const { addOne, authenticators, user, whose } = await openAuthenticators(storage);
    const older = secretOf(await authenticators.begin(whose, now));
    const secret = secretOf(await authenticators.begin(whose, now));
    t.match(
      await authenticators.confirm(whose, { code: codeAt(older, now), label: '' }, by, now),
      { is: 'wrong' },
      'beginning again voids the first',
    );
    t.equal(await authenticators.begun(whose, later(15)), null);
    const late = { code: codeAt(secret, later(15)), label: '' };
    t.strictSame(await authenticators.confirm(whose, late, by, later(15)), { is: 'gone' });
    storage.sweep(...usersSweeps);
    await storage.sweepNow(later(16));
    t.strictSame(await storage.db.selectFrom('credentials').select('id').execute(), [], 'and it is swept');

    const tried = secretOf(await authenticators.begin(whose, now));
    const wrong = { code: wrongCode(tried, now), label: '' };
    const answers = [];
    for (let n = 0; n < 21; n++) answers.push((await authenticators.confirm(whose, wrong, by, now)).is);
    t.strictSame(answers.slice(19), ['wrong', 'gone']);

    for (let n = 1; n <= 5; n++) await addOne(later(n), `App ${n}`);
    await t.rejects(authenticators.begin(whose, later(6)), { status: 409, code: 'too_many_authenticators' });
    t.strictSame(
      (await authenticators.list(storage.db, user.id)).map(({ label }) => label),
      [1, 2, 3, 4, 5].map((n) => `App ${n}`),
    );
  }),
);

t.test('an app that is used after a rotation of SECRET_KEY needs the old key no more', (t) =>
  forEachDatabase(t, async (t, storage) => {
    const { addOne, user } = await openAuthenticators(storage);
    const secret = await addOne(now);
    const opened = ({ credentials }: ReturnType<typeof usersUnder>) =>
      credentials.open(storage.db, user.id, 'totp');
    const both = usersUnder(newer, older);
    const [found] = await opened(both);
    await t.rejects(opened(usersUnder(newer)), /SECRET_KEY does not hold/, 'looking at it changes nothing');
    const use = (credential: SecretCredential) =>
      storage.transaction((tx) => happened(tx, both.credentials.using(tx, credential, 60_000_000, now)));
    t.ok(await use(found!));
    t.match(await opened(usersUnder(newer)), [{ secret, counter: 60_000_000, renewed: null }]);
    const [stored] = await opened(both);
    t.notOk(await use(stored!), 'and each step counts once');
  }),
);

t.test('many at once', (t) =>
  postgresOnly(t, async (t, storage) => {
    const { addOne, authenticators, user, users, whose } = await openAuthenticators(storage);
    for (let n = 1; n <= 4; n++) await addOne(later(n));
    const sessions = Array.from({ length: 16 }, (_, n) => ({ ...whose, sessionId: `ses_${n}` }));
    const begun = await Promise.all(sessions.map((one) => authenticators.begin(one, now)));
    const answers = await Promise.allSettled(
      sessions.flatMap((one, n) => {
        const typed = { code: codeAt(secretOf(begun[n]!), now), label: '' };
        return [1, 2].map(() => authenticators.confirm(one, typed, by, now));
      }),
    );
    const added = answers.filter((answer) => answer.status === 'fulfilled' && answer.value.is === 'added');
    t.equal(added.length, 1, 'of 32 confirmations one takes the last place');
    const [app] = await authenticators.list(storage.db, user.id);

    const step = 60_000_000;
    const use = () =>
      storage.transaction((tx) =>
        happened(tx, users.credentials.using(tx, { id: app!.id, renewed: null }, step, now)),
      );
    const used = await Promise.all(Array.from({ length: 50 }, use));
    t.equal(used.filter(Boolean).length, 1, 'of 50 uses of one time step one counts');
  }),
);
