import { createHash } from 'node:crypto';
import { Socket } from 'node:net';
import { sql } from 'kysely';
import t, { type Test } from 'tap';
import { advance } from '../../src/flows/engine/advance.ts';
import { type Choice, simulate } from '../../src/flows/engine/simulate.ts';
import type { Advance, DeviceFacts, Facts, LoginState } from '../../src/flows/engine/state.ts';
import { type SimulationRequest, simulateLogin } from '../../src/flows/index.ts';
import { methods } from '../../src/flows/methods/index.ts';
import type { Flow } from '../../src/flows/types.ts';
import { Problem } from '../../src/lib/problem.ts';
import type { Storage } from '../../src/storage/types.ts';
import { forEachDatabase } from '../helpers/database.ts';
import { appDocument, openWorld, type World } from './harness.ts';
import { begun, exceptions, factor, factsOf, kinds, minute, now, shapes, validFlow } from './world.ts';

/** The same numbers in each run. */
function dice(seed: number) {
  let at = seed;
  const roll = (sides: number): number => {
    at = (Math.imul(at, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((at / 2 ** 32) * sides);
  };
  return { roll, pick: <T>(from: readonly T[]): T => from[roll(from.length)] as T };
}

type Dice = ReturnType<typeof dice>;

/** Flows of two to four steps, with and without exceptions; each is compiled once. */
function someFlows({ pick, roll }: Dice, count: number): Flow[] {
  const firsts = shapes.filter(({ options }) => options.every((id) => methods.get(String(id))?.identifies));
  const later = [...exceptions, ...exceptions, ...shapes.filter((shape) => !firsts.includes(shape))];
  const found: Flow[] = [];
  while (found.length < count) {
    const flow = validFlow([
      pick(firsts),
      ...(roll(3) === 0 ? [{ options: ['password', 'sms-otp'] }] : []),
      ...Array.from({ length: 1 + roll(2) }, () => pick(later)),
    ]);
    if (flow) found.push(flow);
  }
  return found;
}

function someDevice(flow: Flow, { pick, roll }: Dice): DeviceFacts | null {
  if (roll(4) === 0) return null;
  const passes = flow.steps.flatMap(({ id, options }) => {
    const ago = pick([null, minute, 31 * 24 * 60 * minute]);
    const pass = { app: 'shop', flow: flow.id, step: id, at: now - minute };
    const rememberedAt = ago === null ? null : now - ago;
    return roll(4) === 0 ? [] : [{ ...pass, method: pick(options).method, rememberedAt }];
  });
  return { passes };
}

function someLogin(flow: Flow, random: Dice): { facts: Facts; state: LoginState } {
  const { pick, roll } = random;
  const kind = pick(kinds);
  const userId = pick(['usr_1', 'usr_1', 'usr_2']);
  const held = ['password', 'sms-otp', 'totp', 'backup-code'].filter(() => roll(3) === 0);
  const factors = held.map((id) => factor(id, pick([0, minute, 60 * minute])));
  const session = factors.length > 0 && roll(2) === 0 ? { userId, factors } : null;
  const subject = session?.userId === 'usr_1' ? { userId: 'usr_1', name: null } : null;
  const facts: Facts = {
    ...factsOf(kind, session),
    ...(roll(5) > 0 && { app: { id: pick(['shop', 'bank']), firstParty: true } }),
    ...(roll(5) > 0 && {
      request: {
        ip: pick(['10.0.0.1', '192.0.2.1', null]),
        userAgent: 'x',
        country: pick(['DE', 'FR', null]),
      },
    }),
    ...(roll(5) > 0 && { device: someDevice(flow, random) }),
  };
  const asks = { acr: roll(4) === 0 ? ['urn:sallyport:acr:2'] : [], wantsFresh: roll(6) === 0 };
  const maxAgeMs = pick([null, null, 10 * minute]);
  return { facts, state: begun({ subject, counts: subject !== null, maxAgeMs, ...asks }) };
}

/** What a login comes to that is driven by what a browser sends. */
function driven(flow: Flow, initial: LoginState, facts: Facts, choose: Choice) {
  const asked: string[] = [];
  // Who it is is not known before they have said so.
  const seen = (state: LoginState): Facts => (state.subject === null ? { ...facts, person: null } : facts);
  let at: Advance = advance(flow, initial, { type: 'start' }, seen(initial));
  for (let turns = 0; turns < 30; turns += 1) {
    const { next, state } = at;
    if (next.is !== 'show') return { asked, state, next };
    const step = flow.steps.find(({ id }) => id === state.step);
    const offer = step && choose(step, state.offered);
    if (!step) {
      at = advance(flow, state, { type: 'continue' }, seen(state));
    } else if (!offer) {
      return { asked: [...asked, step.id], state, next };
    } else if (state.option !== offer.method) {
      at = advance(flow, state, { type: 'choose', method: offer.method }, seen(state));
    } else {
      asked.push(step.id);
      const who = { userId: facts.person?.user.id ?? null, name: null };
      const subject = methods.get(offer.method)?.identifies ? { subject: who } : {};
      at = advance(flow, state, { type: 'passed', method: offer.method, ...subject }, facts);
    }
  }
  throw new Error('it never ends');
}

t.test('says what the engine does: 10 000 flows, users and requests', async (t) => {
  const random = dice(20_260_301);
  const flows = someFlows(random, 400);
  const ends = new Map<string, number>();
  for (let n = 0; n < 10_000; n += 1) {
    const flow = random.pick(flows);
    const { facts, state } = someLogin(flow, random);
    const turn = random.roll(7);
    const choose: Choice = (_step, offered) => offered[turn % Math.max(1, offered.length)];
    const said = simulate(flow, state, facts, choose);
    const done = driven(flow, state, facts, choose);
    const reason = done.next.is === 'end' ? done.next.reason : null;
    const end = done.next.is === 'show' ? 'stuck' : done.next.is === 'finish' ? 'finished' : 'refused';
    const bySession =
      done.next.is === 'finish' ? done.next.trail.filter(({ via }) => via === 'session') : null;
    const of = (is: string) => said.steps.filter((one) => one.is === is).map(({ step }) => step);
    const mine = {
      ...{ end: said.end, reason: said.reason, asked: of('asked') },
      skipped: said.steps.flatMap(({ is, rule, step }) => (is === 'skipped' ? [`${step}:${rule}`] : [])),
      satisfied: bySession && of('satisfied'),
    };
    const theirs = {
      ...{ end, reason, asked: done.asked },
      skipped: done.state.skipped.map(({ step, reason }) => `${step}:${reason}`),
      satisfied: bySession?.map(({ step }) => step) ?? null,
    };
    ends.set(end, (ends.get(end) ?? 0) + 1);
    if (JSON.stringify(mine) === JSON.stringify(theirs)) continue;
    t.strictSame(
      mine,
      theirs,
      JSON.stringify({ n, steps: flow.steps, facts: { ...facts, methods: 0 }, state }),
    );
    return;
  }
  for (const end of ['finished', 'stuck', 'refused'])
    t.ok((ends.get(end) ?? 0) > 100, `${end}: ${ends.get(end)}`);
});

/** Every row of every table. */
async function hashOf(storage: Storage): Promise<string> {
  const { rows } = await sql<{ name: string }>`select c.relname::text as name from pg_class c
    where c.relkind = 'r' and c.relnamespace = current_schema()::regnamespace order by 1`.execute(storage.db);
  const hash = createHash('sha256');
  for (const { name } of rows) {
    const all = await sql<{
      line: string;
    }>`select to_jsonb(t)::text as line from ${sql.table(name)} t order by 1`.execute(storage.db);
    hash.update(name).update(JSON.stringify(all.rows));
  }
  return hash.digest('hex');
}

/** Fails at any new connection, whoever opens it. */
function silenceNetwork(t: Test): void {
  const { connect } = Socket.prototype;
  Socket.prototype.connect = function refuse() {
    throw new Error('the network has to stay silent');
  };
  t.teardown(() => {
    Socket.prototype.connect = connect;
  });
}

const when = 'user.created > now - duration("24h") || request.country != "DE"';

const asks = ({ clock, storage, users }: World) => {
  const apps = {
    find: async (_db: unknown, id: string) => (id === 'gone' ? undefined : { ...appDocument, id }),
  };
  const ownPages = async () => ({ flows: [], apps: [] });
  return (request: Partial<SimulationRequest>) =>
    simulateLogin(
      { db: storage.db, clock, users, apps, ownPages },
      { flow: { id: 'main' }, user: 'ada', ...request },
    );
};

t.test('the code is off until a day', (t) =>
  forEachDatabase(t, async (t, storage) => {
    const world = await openWorld(t, storage, [
      { id: 'first', options: ['password'] },
      { id: 'second', options: ['sms-otp'], userMayDisable: true },
    ]);
    const user = await world.addUser();
    const until = new Date(world.clock.now().getTime() + 3 * 24 * 60 * 60_000);
    const now = world.clock.now();
    await storage.transaction((tx) => world.users.setCodeOff(tx, user.id, true, until, now));
    const ask = asks(world);
    const rule = async (at: Date) => (await ask({ at: at.toISOString() })).steps[1]?.rule;
    t.equal(await rule(new Date(until.getTime() - 1)), 'code-off');
    t.equal(await rule(until), 'always', 'it is over by then');
  }),
);

t.test('answers without a write and without a message', (t) =>
  forEachDatabase(t, async (t, storage) => {
    const world = await openWorld(t, storage, [
      { id: 'first', options: ['password'] },
      { id: 'second', options: ['sms-otp', 'backup-code'], when, remember: '30d' },
    ]);
    const user = await world.addUser();
    const ask = asks(world);
    await ask({});
    const before = await hashOf(storage);
    silenceNetwork(t);
    const here = await ask({ app: 'shop', ip: '192.0.2.1', country: 'DE', at: '2026-03-05T12:00:00Z' });
    t.strictSame(here, {
      ...{ flow: 'main', version: 1, app: 'shop', at: '2026-03-05T12:00:00.000Z' },
      user: { id: user.id, username: 'ada' },
      steps: [
        {
          ...{ step: 'first', condition: null, is: 'asked', rule: 'first-factor', method: 'password' },
          options: [{ method: 'password', enrol: false }],
        },
        {
          ...{ step: 'second', condition: { source: when, value: false, why: null } },
          ...{ is: 'skipped', rule: 'condition', options: [], method: null },
        },
      ],
      ...{ end: 'finished', reason: null, acr: 'urn:sallyport:acr:1', amr: ['pwd'] },
    });
    const rule = async (request: Partial<SimulationRequest>) => {
      const { steps } = await ask({ at: '2026-03-05T12:00:00Z', ip: '192.0.2.1', ...request });
      return steps.map((one) => `${one.is}:${one.rule}`).join(' ');
    };
    for (const [request, said] of [
      [{ country: 'FR' }, 'asked:first-factor asked:condition-holds'],
      [{ country: 'de' }, 'asked:first-factor skipped:condition'],
      [{}, 'asked:first-factor asked:condition-unknown'],
      [{ country: 'FR', device: 'remembered' }, 'asked:first-factor skipped:remembered'],
      [{ country: 'FR', device: 'known' }, 'asked:first-factor asked:condition-holds'],
      [
        { country: 'FR', device: 'remembered', acr: ['urn:sallyport:acr:2'] },
        'asked:first-factor asked:condition-holds',
      ],
      [{ country: 'FR', device: 'remembered', maxAge: '5m' }, 'asked:first-factor asked:condition-holds'],
      [
        { session: [{ method: 'password', age: '5m' }], country: 'DE' },
        'satisfied:session skipped:condition',
      ],
      [
        { session: [{ method: 'sms-otp', age: '5m' }], country: 'FR' },
        'asked:first-factor satisfied:session',
      ],
      [
        { session: [{ method: 'password', age: '5m' }], maxAge: '1m', country: 'DE' },
        'asked:first-factor skipped:condition',
      ],
    ] as [Partial<SimulationRequest>, string][]) {
      t.equal(await rule(request), said, JSON.stringify(request));
    }
    for (const at of ['soon', '2026-03-05 12:00', '2026-03-05T12:00:00', '2026-13-05', '2026-03-05T25:00Z']) {
      await t.rejects(ask({ at }), { status: 400, errors: [{ path: 'at' }] }, at);
    }
    const document = { id: 'draft', name: 'Draft', steps: [{ id: 'only', options: ['password'] }] };
    t.match(await ask({ flow: { document } }), { flow: 'draft', version: null, end: 'finished' });
    for (const [request, problem] of [
      [{ user: 'nobody' }, { status: 404, code: 'user_unknown' }],
      [{ app: 'gone' }, { status: 404, code: 'app_unknown' }],
      [{ flow: { id: 'gone' } }, { status: 404 }],
      [{ flow: { id: 'main', version: 7 } }, { status: 404 }],
      [{ flow: { document: { ...document, steps: [] } } }, { status: 400, errors: [{ path: 'steps' }] }],
      [
        {
          at: '1',
          country: 'Germany',
          ip: '10.0.0.0/8',
          maxAge: 'x',
          session: [{ method: 'magic', age: 'old' }],
        },
        {
          status: 400,
          errors: ['at', 'ip', 'country', 'maxAge', 'session[0].method', 'session[0].age'].map((path) => ({
            path,
          })),
        },
      ],
    ] as [Partial<SimulationRequest>, object][]) {
      const found = await ask(request).catch((error) => error);
      t.ok(found instanceof Problem, JSON.stringify(request));
      t.match(found, problem);
    }
    t.equal(await hashOf(storage), before, 'not a row has changed');
    t.equal(world.messages.length, 0, 'and nothing was sent');
  }),
);
