import t from 'tap';
import { advance } from '../../src/flows/engine/advance.ts';
import type { Advance, DeviceFacts, Event, Facts, LoginState, Passed } from '../../src/flows/engine/state.ts';
import { methods } from '../../src/flows/methods/index.ts';
import type { Flow, Step } from '../../src/flows/types.ts';
import {
  begun,
  conditions,
  exceptions,
  factor,
  factsOf,
  flowsOf,
  type Kind,
  kinds,
  minute,
  now,
  userOf,
  validFlow,
} from './world.ts';

/**
 * Walks through every login that can happen: every flow of up to four steps that can be saved, every kind of user and
 * session, every event in every state it leads to (reload, back, a second tab, replay, resend, cancel, two submits at
 * once), and holds what the engine says against the rules, written down here a second time and differently.
 */

/** One login as the world knows it: what was really shown in it since it last began anew. */
interface Node {
  state: LoginState;
  shown: { step: string; method: string }[];
}

interface Run {
  /** Reasons that were met. */
  skipped?: Set<string>;
  flow: Flow;
  kind: Kind | null;
  facts: Facts;
  finished: number;
  nodes: number;
}

const sessions: { name: string; factors: Facts['session'] }[] = [
  { name: 'none', factors: null },
  { name: 'password', factors: { userId: 'usr_1', factors: [factor('password', minute)] } },
  {
    name: 'old password, fresh code',
    factors: { userId: 'usr_1', factors: [factor('password', 60 * minute), factor('sms-otp', minute)] },
  },
  {
    name: 'somebody else',
    factors: { userId: 'usr_2', factors: [factor('password', 0), factor('sms-otp', 0)] },
  },
];

/** What a browser, or somebody who plays with one, may send in any state; `true` where the factor was really shown. */
function eventsOf(run: Run, state: LoginState): { event: Event; shown: boolean }[] {
  const submits = [...methods.keys()].map((method) => {
    const identifies = methods.get(method)?.identifies ?? false;
    const userId = run.kind?.user.id ?? null;
    const subject = identifies ? { subject: { userId, name: 'typed' } } : {};
    // Nobody can show a factor of an account that does not exist.
    const possible = method === 'identify' || run.kind !== null;
    return { event: { type: 'passed' as const, method, ...subject }, shown: possible };
  });
  return [
    // A replay, a second tab, the back button: methods that are not at hand are tried as well.
    ...submits.filter(({ shown }) => shown),
    ...[...methods.keys()].map((method) => ({ event: { type: 'choose' as const, method }, shown: false })),
    { event: { type: 'other-ways' }, shown: false },
    { event: { type: 'continue' }, shown: false },
    { event: { type: 'restart' }, shown: false },
    { event: { type: 'locked', until: now + minute }, shown: false },
    { event: { type: 'stay', scratch: { again: true }, effects: [] }, shown: false },
    ...(state.step === null ? [{ event: { type: 'start' as const }, shown: false }] : []),
  ];
}

/** Whether a session's factor satisfies the step, by the words of the rule. */
function sessionHas(step: Step, { facts }: Run, state: LoginState): boolean {
  const session = facts.session;
  if (!state.counts || session?.userId !== 'usr_1') return false;
  if (step.options[0]?.method === 'identify') return true;
  return session.factors.some(
    ({ method, at }) =>
      step.options.some((option) => option.method === method) &&
      (state.maxAgeMs === null || now - at <= state.maxAgeMs),
  );
}

/** Whether the policy table lets this user go on without the step. */
function mayGoWithout(step: Step, { kind }: Run, { acr }: LoginState): boolean {
  if (!kind) return false;
  const { user, backupCodes, totp } = kind;
  const lists = (method: string) => step.options.some((option) => option.method === method);
  const other =
    (lists('password') && user.hasPassword) ||
    (lists('backup-code') && backupCodes > 0) ||
    (lists('totp') && totp === true);
  const insists = acr[0] === 'urn:sallyport:acr:2';
  if (step.userMayDisable && user.codeOff && lists('sms-otp') && !insists) return !other;
  return step.onUnavailable === 'skip' && !other && !(lists('sms-otp') && user.phone !== null);
}

/** The pass in this browser that the step's exceptions may look at. */
function passHere(step: Step, { facts }: Run, { acr, wantsFresh }: LoginState) {
  if (acr[0] === 'urn:sallyport:acr:2' || wantsFresh) return undefined;
  const listed = (method: string) => step.options.some((option) => option.method === method);
  return facts.device?.passes.find((pass) => pass.step === step.id && listed(pass.method));
}

/** What the step's condition says, by the meaning that is written down beside it. */
function says({ when, ...step }: Step, run: Run, state: LoginState): boolean | undefined {
  const { facts, kind } = run;
  if (!when || !kind) return true;
  const known =
    facts.device === undefined ? undefined : passHere({ when, ...step }, run, state) !== undefined;
  const session = state.counts && facts.session?.userId === kind.user.id ? facts.session.factors : [];
  return conditions[when.source]?.({ user: kind.user, facts, known, session });
}

function isRemembered(step: Step, run: Run, state: LoginState): boolean {
  const since = passHere(step, run, state)?.rememberedAt ?? null;
  return step.rememberMs !== null && since !== null && now - since < step.rememberMs;
}

/** Why the step may be left out, by the words of the rules. */
function excuseOf(step: Step, run: Run, state: LoginState): string[] {
  if (says(step, run, state) === false) return ['condition'];
  if (isRemembered(step, run, state)) return ['remembered'];
  return mayGoWithout(step, run, state) ? ['code-off', 'unavailable'] : [];
}

function faultOf(run: Run, node: Node, next: Advance): string | null {
  const { flow, kind, facts } = run;
  for (const effect of next.effects) {
    const phone = kind?.user.phone ?? null;
    if (effect.to !== phone && effect.to !== null) return `sends to ${effect.to}`;
    if (next.state.proved && effect.to === null) return 'sends nowhere';
  }
  if (next.next.is !== 'finish') return null;
  if (!kind || kind.user.disabled) return 'a login of nobody, or of a disabled account, finished';
  if (next.state.subject?.userId !== kind.user.id) return 'somebody else is logged in';
  const { trail } = next.next;
  if (!trail.some((passed) => passed.kind !== 'identify')) return 'finished without any factor';
  let proved = false;
  for (const step of flow.steps) {
    const passed: Passed | undefined = trail.find((one) => one.step === step.id);
    const skipped = next.state.skipped.find((one) => one.step === step.id);
    if (passed && skipped) return `${step.id} is passed and skipped`;
    if (!passed) {
      if (!skipped) return `${step.id} is neither passed nor recorded as skipped`;
      if (!proved) return `${step.id} was skipped before any factor`;
      if (!excuseOf(step, run, node.state).includes(skipped.reason)) {
        return `${step.id} was skipped without a reason, as ${skipped.reason}`;
      }
      continue;
    }
    const here = node.shown.some((one) => one.step === step.id && one.method === passed.method);
    if (passed.via === 'login' && !here) return `${step.id} counts as passed and was not`;
    if (passed.via === 'session' && !sessionHas(step, { ...run, facts }, node.state)) {
      return `${step.id} is not satisfied by the session`;
    }
    if (passed.via === 'login' && proved && excuseOf(step, run, node.state).length > 0) {
      return `${step.id} was asked although it did not apply`;
    }
    proved ||= passed.kind !== 'identify';
  }
  return null;
}

/** In the longest flows a state is the same whether or not it is locked or was tried before: shorter ones show that. */
const keyOf = ({ flow }: Run, { state }: Node): string => {
  const { subject, counts, step, option, locked, passed, scratch, proved } = state;
  const at = [subject?.userId, subject !== null, counts, step, option, proved];
  const beside = flow.steps.length < 4 ? [locked !== null, Object.keys(scratch).length] : [];
  return [...at, ...beside, ...passed.map((one) => one.step + one.method)].join();
};

function freeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const member of Object.values(value)) freeze(member);
  return value;
}

/** The events that leave a state as it is unless they fit it. */
function strays(event: Event, before: LoginState): boolean {
  if (event.type === 'passed') return before.option !== event.method;
  if (event.type === 'choose') return !before.offered.some(({ method }) => method === event.method);
  if (event.type === 'continue') return before.step !== null;
  return false;
}

function explore(run: Run, initial: LoginState): string | null {
  const first = advance(run.flow, initial, { type: 'start' }, run.facts);
  if (first.effects.length > 0) return 'a login that only starts has an effect';
  const queue: Node[] = [{ state: freeze(first.state), shown: [] }];
  const seen = new Set([keyOf(run, queue[0] as Node)]);
  for (const node of queue) {
    run.nodes += 1;
    if (node.state.proved && run.kind?.user.disabled) return 'goes on after the account was disabled';
    for (const { event, shown } of eventsOf(run, node.state)) {
      const next = advance(run.flow, node.state, event, run.facts);
      const alive = !(run.kind?.user.disabled && node.state.proved);
      if (alive && strays(event, node.state) && next.state !== node.state) {
        return `${event.type} changed a state that it does not fit`;
      }
      const moved: Node = {
        state: next.state,
        shown:
          event.type === 'restart'
            ? []
            : shown && event.type === 'passed' && next.state !== node.state
              ? [...node.shown, { step: node.state.step ?? '', method: event.method }]
              : node.shown,
      };
      const fault = faultOf(run, moved, next);
      if (fault) return `${fault} after ${JSON.stringify(event)} in ${JSON.stringify(node.state)}`;
      if (next.next.is === 'finish') {
        run.finished += 1;
        for (const { reason } of next.state.skipped) run.skipped?.add(reason);
      }
      // Where nothing was changed one has been, too.
      if (next.next.is !== 'show' || next.state === node.state) continue;
      const key = keyOf(run, moved);
      if (seen.has(key)) continue;
      seen.add(key);
      queue.push({ ...moved, state: freeze(moved.state) });
    }
  }
  return null;
}

const everyone: (Kind | null)[] = [...kinds, null];

for (const length of [1, 2, 3, 4]) {
  t.test(`every flow of ${length}`, async (t) => {
    let flows = 0;
    let nodes = 0;
    let finished = 0;
    for (const flow of flowsOf(length)) {
      flows += 1;
      for (const kind of everyone) {
        for (const { name, factors } of sessions) {
          if (factors && !kind) continue;
          const facts = factsOf(kind, factors);
          const run: Run = { flow, kind, facts, finished: 0, nodes: 0 };
          const counts = factors !== null;
          const subject = counts ? { userId: 'usr_1', name: 'typed' } : null;
          const fault = explore(run, begun({ subject, counts, maxAgeMs: counts ? 10 * minute : null }));
          nodes += run.nodes;
          finished += run.finished;
          if (fault) {
            t.fail(
              `${fault}\nflow ${JSON.stringify(flow.steps)}\nuser ${JSON.stringify(kind)}\nsession ${name}`,
            );
            return;
          }
        }
      }
    }
    t.ok(flows > 0 && finished > 0, `${flows} flows, ${nodes} states, ${finished} ways to the end`);
  });
}

const passesOf = (flow: Flow, rememberedAgo: number | null, method = 0): DeviceFacts => ({
  passes: flow.steps.map(({ id, options }) => ({
    ...{ app: 'shop', flow: flow.id, step: id, at: now - minute },
    method: options[method]?.method ?? 'none',
    rememberedAt: rememberedAgo === null ? null : now - rememberedAgo,
  })),
});

/** Where logins come from: nothing known, a known browser, a remembered one, one that was for another option. */
const places: ((flow: Flow) => Partial<Facts>)[] = [
  () => ({}),
  () => ({
    ...{ app: { id: 'shop', firstParty: true }, device: null },
    request: { ip: '192.0.2.1', userAgent: 'test', country: 'DE' },
  }),
  (flow) => ({
    ...{ app: { id: 'bank', firstParty: false }, device: passesOf(flow, null) },
    request: { ip: '10.0.0.7', userAgent: null, country: null },
  }),
  (flow) => ({
    ...{ app: { id: 'shop', firstParty: true }, device: passesOf(flow, minute) },
    request: { ip: '192.0.2.1', userAgent: 'test', country: 'FR' },
  }),
  (flow) => ({ app: { id: 'shop', firstParty: true }, device: passesOf(flow, 31 * 24 * 60 * minute) }),
  (flow) => ({ device: passesOf(flow, minute, 3) }),
];

t.test('steps with exceptions', async (t) => {
  let turn = 0;
  let finished = 0;
  const skipped = new Set<string>();
  const flows = exceptions.flatMap((shape, index) => {
    const other = exceptions[(index * 31 + 7) % exceptions.length] ?? shape;
    return [
      [{ options: ['password'] }, shape],
      [{ options: ['identify'] }, { options: ['password', 'sms-otp'] }, shape, other],
    ].flatMap((steps) => validFlow(steps) ?? []);
  });
  for (const flow of flows) {
    for (const kind of everyone) {
      for (const { name, factors } of sessions) {
        if (factors && !kind) continue;
        turn += 1;
        const place = places[turn % places.length]?.(flow) ?? {};
        const run: Run = {
          flow,
          kind,
          facts: { ...factsOf(kind, factors), ...place },
          finished: 0,
          nodes: 0,
        };
        run.skipped = skipped;
        const subject = factors ? { userId: 'usr_1', name: 'typed' } : null;
        const asks = { acr: turn % 5 === 0 ? ['urn:sallyport:acr:2'] : [], wantsFresh: turn % 7 === 0 };
        const fault = explore(run, begun({ subject, counts: factors !== null, maxAgeMs: null, ...asks }));
        finished += run.finished;
        if (!fault) continue;
        const where = JSON.stringify({ steps: flow.steps, kind, name, place, asks });
        t.fail(`${fault}\n${where}`);
        return;
      }
    }
  }
  t.ok(flows.length > 1.9 * exceptions.length && finished > 0, `${turn} logins, ${finished} ways to the end`);
  t.strictSame([...skipped].sort(), ['code-off', 'condition', 'remembered', 'unavailable'], 'each is met');
});

t.test('a login ends when its account is disabled or removed on the way', async (t) => {
  for (const flow of flowsOf(2)) {
    const kind: Kind = { user: userOf({ phone: null, phoneVerified: false }), backupCodes: 0 };
    const start = advance(flow, begun(), { type: 'start' }, factsOf(null)).state;
    const subject = { userId: 'usr_1', name: 'typed' };
    const method = start.option ?? 'password';
    const { state } = advance(flow, start, { type: 'passed', method, subject }, factsOf(kind));
    if (!state.proved) continue;
    const disabled = { ...kind, user: { ...kind.user, disabled: true } };
    for (const event of [
      { type: 'choose', method: 'sms-otp' },
      { type: 'other-ways' },
      { type: 'continue' },
    ] satisfies Event[]) {
      const ends = [
        advance(flow, state, event, factsOf(disabled)),
        advance(flow, state, event, factsOf(null)),
      ];
      const reasons = ends.map(({ next }) => (next.is === 'end' ? next.reason : next.is));
      if (reasons.join() !== 'disabled,user-gone') t.fail(`${reasons} after ${event.type}`);
    }
  }
  t.pass('whatever is sent next');
});

t.test(
  'before a factor was passed nothing tells who exists, has a number, or switched the code off',
  async (t) => {
    const seen = (flow: Flow, kind: Kind | null): string => {
      const pages: string[] = [];
      let state = advance(flow, begun(), { type: 'start' }, factsOf(null)).state;
      const look = (next: Advance) => {
        const { step, option, offered, skipped, proved, locked } = next.state;
        const effects = next.effects.map(({ to: _, ...rest }) => rest);
        pages.push(
          JSON.stringify({ step, option, offered, skipped, proved, locked, effects, next: next.next }),
        );
        state = next.state;
      };
      const subject = { userId: kind?.user.id ?? null, name: 'typed' };
      const facts = factsOf(kind);
      look(advance(flow, state, { type: 'passed', method: 'identify', subject }, facts));
      for (const method of methods.keys()) look(advance(flow, state, { type: 'choose', method }, facts));
      look(advance(flow, state, { type: 'other-ways' }, facts));
      return pages.join('\n');
    };
    for (const flow of [...flowsOf(2), ...flowsOf(3)]) {
      if (flow.steps[0]?.options[0]?.method !== 'identify') continue;
      const unknown = seen(flow, null);
      for (const kind of kinds) {
        if (seen(flow, kind) !== unknown)
          t.fail(`${JSON.stringify(kind)} shows in ${JSON.stringify(flow.steps)}`);
      }
    }
    t.pass('they all see the same');
  },
);
