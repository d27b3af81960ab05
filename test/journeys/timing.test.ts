/**
 * Whether answers tell which names have an account: their status, headers and shape, and the time that they take. Times
 * are measured in turns in one process, so that whatever else the machine does falls on all of them alike.
 */
import { sql } from 'kysely';
import t, { type Test } from 'tap';
import { generousGuard, postgresUrl, shop, standard, startGateway } from '../helpers/gateway.ts';

const rounds = 400;
const password = 'seven quiet lanterns';
const mailOf = (name: string) => `${name}@example.test`;
/** Of the same length; part of no other word on the pages. */
const people = { existing: 'erik', disabled: 'dirk', locked: 'lars' };
const unknown = 'noel';

/** Without a challenge, so that messages do go out. */
const guard = { ...generousGuard, sends: { ...generousGuard.sends, modes: { 'first-contact': 'record' } } };

/** How often one of the first took longer than one of the others: a half where nothing tells them apart. */
function areaUnderCurve(first: number[], second: number[]): number {
  const all = [...first.map((ms) => ({ ms, own: 1 })), ...second.map((ms) => ({ ms, own: 0 }))];
  all.sort((a, b) => a.ms - b.ms);
  const ranks = all.reduce((sum, { own }, at) => sum + own * (at + 1), 0);
  return (ranks - (first.length * (first.length + 1)) / 2) / (first.length * second.length);
}

type Measured = Record<string, number[]>;

/** All kinds as often, in no order: what an answer leaves to be done falls on any of them. */
async function measure(
  kinds: string[],
  once: (kind: string) => Promise<number>,
  lanes: number,
): Promise<Measured> {
  const times: Measured = Object.fromEntries(kinds.map((kind) => [kind, []]));
  for (const kind of [...kinds, ...kinds]) await once(kind);
  const turns = Array.from({ length: rounds }, () => kinds).flat();
  const drawn = turns.map((kind) => ({ kind, place: Math.random() })).sort((a, b) => a.place - b.place);
  const left = drawn.values();
  const lane = async () => {
    for (const { kind } of left) times[kind]?.push(await once(kind));
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return times;
}

/** A machine under load may blur a measurement once; what really differs differs again. */
async function compare(
  t: Test,
  kinds: string[],
  once: (kind: string) => Promise<number>,
  lanes = 1,
): Promise<void> {
  const areas = async () => {
    const times = await measure(kinds, once, lanes);
    const existing = times.existing ?? [];
    const others = kinds.filter((kind) => kind !== 'existing');
    return others.map((kind) => [kind, areaUnderCurve(existing, times[kind] ?? [])] as const);
  };
  const far = (found: (readonly [string, number])[]) =>
    found.filter(([, area]) => area < 0.45 || area > 0.55);
  let found = await areas();
  if (far(found).length > 0) found = await areas();
  t.comment(found.map(([kind, area]) => `${kind} ${area.toFixed(3)}`).join(', '));
  t.same(far(found), [], 'the times tell nothing');
}

t.test('names with and without an account', { timeout: 400_000 }, async (t) => {
  const files = standard('http://localhost:1/');
  const gateway = await startGateway(t, {
    databaseUrl: await postgresUrl(t),
    files: {
      gateway: {
        ...{ name: 'Sallyport', guard },
        recovery: { enabled: true, channels: ['email'] },
      },
      providers: [...files.providers, { id: 'mail', channel: 'email', preset: 'simulator', simulator: {} }],
      users: Object.values(people).map((username) => ({ username, password, email: mailOf(username) })),
    },
  });
  const { context, app } = gateway.running;
  const { db } = context.storage;
  await context.people.disable({ name: people.disabled, by: 'test' });
  const now = new Date();
  const locked = await context.users.findByIdentifier(db, people.locked);
  await db
    .insertInto('factor_locks')
    .values({
      ...{ subject_key: context.crypto.mac('identifier', locked?.id ?? ''), factor: 'sms-otp', failures: 9 },
      ...{ consecutive: 9, level: 3, last_failed_at: now },
      ...{
        locked_until: new Date(now.getTime() + 3_600_000),
        expires_at: new Date(now.getTime() + 3_600_000),
      },
    })
    .execute();

  const origin = gateway.issuer;
  const open = async () => {
    const query = new URLSearchParams({
      ...{ client_id: shop.id, redirect_uri: shop.redirectUri, response_type: 'code', scope: 'openid' },
      ...{ code_challenge: 'x'.repeat(43), code_challenge_method: 'S256', state: 's', nonce: 'n' },
    });
    const begun = await app.server.inject({ url: `/authorize?${query}` });
    const url = String(begun.headers.location);
    return { url, cookies: Object.fromEntries(begun.cookies.map(({ name, value }) => [name, value])) };
  };
  type Place = Awaited<ReturnType<typeof open>>;
  const post = async ({ cookies, url }: Place, version: number, fields: Record<string, string>) => {
    const started = performance.now();
    const answer = await app.server.inject({
      ...{ method: 'POST', url, cookies, payload: { version, ...fields } },
      headers: { accept: 'application/json', origin },
    });
    return { ms: performance.now() - started, answer };
  };
  /** What an answer looks like, but for what is different each time. */
  const shapeOf = ({ answer }: Awaited<ReturnType<typeof post>>, name: string) => {
    const { 'content-length': _, date: __, 'x-request-id': ___, ...headers } = answer.headers;
    const body = JSON.parse(answer.body, (key, value) => (key === 'at' || key === 'enabledAt' ? 0 : value));
    return { status: answer.statusCode, headers, body: JSON.stringify(body).replaceAll(name, 'NAME') };
  };
  const countMessages = async () => (await db.selectFrom('messages').select('id').execute()).length;
  const nameOf = (kind: string) => people[kind as keyof typeof people] ?? unknown;

  await t.test('the form with the password', { timeout: 200_000 }, async (t) => {
    const kinds = ['existing', 'unknown', 'disabled', 'locked'];
    const place = await open();
    const wrong = (kind: string) => post(place, 1, { username: nameOf(kind), password: 'not this one' });
    const expected = shapeOf(await wrong('existing'), people.existing);
    t.match(expected, { status: 200, body: /do not match/ });
    for (const kind of kinds) t.same(shapeOf(await wrong(kind), nameOf(kind)), expected, kind);
    let tries = 0;
    await compare(t, kinds, async (kind) => {
      // Else most of them would be refused before anything is compared.
      if (tries % 200 === 0) await sql`delete from factor_locks where factor like 'password%'`.execute(db);
      tries += 1;
      const { answer, ms } = await wrong(kind);
      if (!answer.body.includes('do not match')) throw new Error(answer.body);
      return ms;
    });
  });

  await t.test('the form for a forgotten password', { timeout: 200_000 }, async (t) => {
    const kinds = ['existing', 'unknown'];
    const login = await open();
    const run = async (kind: string) => {
      const { answer } = await post(login, 1, { action: 'recover' });
      const cookies = Object.fromEntries(answer.cookies.map(({ name, value }) => [name, value]));
      const place = { url: new URL(answer.json().next).pathname, cookies };
      const asked = await post(place, 1, { username: nameOf(kind) });
      return { asked, place };
    };
    const shapes = async (kind: string) => {
      const { asked, place } = await run(kind);
      const typed = await post(place, 2, { code: '000000' });
      return [asked, typed].map((one) => shapeOf(one, nameOf(kind)));
    };
    const expected = await shapes('existing');
    t.match(expected, [{ body: /reset-email/ }, { body: /4 tries left/ }]);
    t.same(await shapes('unknown'), expected);
    const before = await countMessages();
    await compare(t, kinds, async (kind) => (await run(kind)).asked.ms, 8);
    t.ok((await countMessages()) >= before + rounds, 'there was something to send each time');
  });
});
