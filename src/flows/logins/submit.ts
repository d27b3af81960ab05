import { setTimeout as delay } from 'node:timers/promises';
import type { Audit, AuditEvent } from '../../audit/types.ts';
import type { OutgoingMessage } from '../../delivery/types.ts';
import { isUntilLifted } from '../../guard/index.ts';
import type { Logger } from '../../lib/log.ts';
import type { Text } from '../../lib/texts.ts';
import type { Notices } from '../../notices/types.ts';
import type { Sessions } from '../../sessions/types.ts';
import type { Storage } from '../../storage/types.ts';
import type { User } from '../../users/types.ts';
import { namedPlace } from '../codes/numbers.ts';
import { advance, optionOf } from '../engine/advance.ts';
import type { Event, LoginState } from '../engine/state.ts';
import type { CheckResult, Method, Methods, Pass, Services } from '../method.ts';
import type { RecoveryChannel } from '../recovery/settings.ts';
import type { LoginRow } from '../store.ts';
import type { Browser, Field } from '../types.ts';
import { answerChallenge, challengeOf, proving } from './challenge.ts';
import { endCopied, keepDevice } from './devices.ts';
import { type DispatchDeps, scopeOf } from './dispatch.ts';
import { enrolsNoMore } from './enrolling.ts';
import { factorNotice } from './factor-notice.ts';
import { type FactsDeps, gatherFacts, methodsAhead } from './facts.ts';
import { askingFirst } from './grace.ts';
import { commitMove } from './move.ts';
import { newDeviceNotice } from './new-device.ts';
import type { Opened } from './opened.ts';
import { notNeeded, permitted } from './permitted.ts';
import { nameOf, subjectKeyOf } from './subject.ts';

export interface LoginsDeps extends DispatchDeps, FactsDeps {
  storage: Storage;
  sessions: Sessions;
  audit: Audit;
  log: Logger;
  methods: Methods;
  services: Services;
  /** Absent: nobody is told of anything. */
  notices?: Notices | undefined;
  /** Where codes go that replace forgotten passwords; none: they are not replaced. */
  recoveryChannels(): RecoveryChannel[];
}

export interface Submission extends Browser {
  action: string;
  values: Record<string, string>;
  /** The user wishes to go without this step in this browser. */
  remember?: boolean;
  /** The solution of a challenge. */
  proof?: string;
  deviceOf(userId: string): string | null;
}

export type Outcome =
  /** The login has moved on; null: another submit was first. Show it as it stands. */
  | { is: 'show'; opened: Opened | null }
  | { is: 'retry'; text: Text; field: Field['name'] | null; retryAt: Date | null }
  | {
      is: 'ended';
      row: LoginRow;
      userId: string | null;
      passed: string[];
      /** The next value of the cookie of remembered devices; null: as it was. */
      remembered: string | null;
    };

/** What is known at a submit. */
export interface Around extends Opened {
  submission: Submission;
  /** How the challenge before the message was passed; null: there was none, or it was not. */
  passed: 'proof' | 'waited' | null;
  now: Date;
}

/**
 * One submit: counters and slow checks first, each committed by itself; then the engine decides; then one short
 * transaction writes all of it, or nothing when another submit was first; then messages go out.
 */
export async function submit(
  deps: LoginsDeps,
  opened: Opened,
  submission: Submission,
  now: Date,
): Promise<Outcome> {
  const { row } = opened;
  const task = challengeOf(row.state);
  if (submission.action === 'prove') {
    if (task === null) return { is: 'show', opened };
    const answered = await answerChallenge(deps.services, task, submission, now);
    if ('is' in answered) return answered;
    return take(deps, {
      ...opened,
      submission: { ...submission, action: proving(row.state) },
      ...answered,
      now,
    });
  }
  return take(deps, { ...opened, submission, passed: null, now });
}

async function take(deps: LoginsDeps, around: Around): Promise<Outcome> {
  const { row, submission, user } = around;
  const plain = eventOf(row.state, submission, user);
  if (plain) return move(deps, around, plain, null);

  const method = row.state.option === null ? undefined : deps.methods.get(row.state.option);
  const step = row.state.step;
  if (!method || step === null) return { is: 'show', opened: around };
  if (await enrolsNoMore(deps, around)) {
    const afresh = { ...row, state: { ...row.state, step: null } };
    return move(deps, { ...around, row: afresh }, { type: 'continue' }, null);
  }
  const result = await method.check(checkContext(deps, around, method, step), submission);
  return conclude(deps, around, method, result);
}

/** What a button means by itself; null: the method looks at what was typed. */
function eventOf(state: LoginState, { action }: Submission, user: User | null): Event | null {
  if (action === 'cancel') return { type: 'cancel', reason: 'cancelled' };
  if (action === 'not-mine') return { type: 'cancel', reason: 'not-requested' };
  if (action === 'restart') return { type: 'restart' };
  if (state.proved && !user) return { type: 'fail', reason: 'user-gone' };
  if (state.proved && user?.disabled) return { type: 'fail', reason: 'disabled' };
  if (action === 'other-ways') return { type: 'other-ways' };
  if (action === 'later') return { type: 'later' };
  if (action === 'continue' || state.step === null) return { type: 'continue' };
  return action.startsWith('choose:') ? { type: 'choose', method: action.slice('choose:'.length) } : null;
}

function checkContext({ services }: LoginsDeps, around: Around, method: Method, step: string) {
  const { flow, now, row, submission, user } = around;
  const { state } = row;
  const subjectKey = subjectKeyOf(services, row, user);
  return {
    services,
    settings: optionOf(flow, step, method.id)?.settings ?? {},
    loginId: row.id,
    scope: (suffix: string) => scopeOf({ loginId: row.id, step, subjectKey: subjectKey ?? '' }, suffix),
    subjectKey,
    user,
    name: nameOf(services, row),
    enrol: state.offered.some((offer) => offer.method === method.id && offer.enrol),
    proved: state.proved,
    named: state.subject?.number ?? ('first' as const),
    scratch: state.scratch[method.id] ?? {},
    sent: state.sent[method.id] ?? null,
    passed: state.passed.map((passed) => passed.method),
    locale: row.locale,
    ip: submission.ip,
    deviceOf: submission.deviceOf,
    now,
  };
}

async function conclude(
  deps: LoginsDeps,
  around: Around,
  method: Method,
  result: CheckResult,
): Promise<Outcome> {
  switch (result.is) {
    case 'pass':
      return move(deps, around, passedEvent(deps.services, around, method, result), result);
    case 'stay':
      return move(deps, around, { type: 'stay', scratch: result.scratch, effects: result.effects }, null);
    case 'fail':
      return move(deps, around, { type: 'fail', reason: result.reason }, null);
    case 'locked': {
      const until = result.until && !isUntilLifted(result.until) ? result.until.getTime() : null;
      return move(deps, around, { type: 'locked', until }, null);
    }
    case 'retry': {
      if (result.tried) await recordFailure(deps, around, method, result.reason);
      return { is: 'retry', text: result.text, field: result.field ?? null, retryAt: result.retryAt ?? null };
    }
  }
}

async function recordFailure(
  { audit, storage }: LoginsDeps,
  around: Around,
  { id: method, channel }: Method,
  reason: string,
): Promise<void> {
  const names = channel === null ? ['login.step.failed'] : ['login.step.failed', 'code.refused'];
  const data = { step: around.row.state.step, method };
  const events = names.map((name) => ({ ...contextOf(around), name, reason, data }));
  await audit.record(storage.db, around.now, events);
}

function passedEvent(
  { crypto, users }: Services,
  { flow, row, submission }: Around,
  { id: method }: Method,
  { subject }: Pass,
): Event {
  const step = flow.steps.find(({ id }) => id === row.state.step);
  const remember = submission.remember === true && step?.rememberMs != null;
  const passed = { type: 'passed' as const, method, ...(remember && { remember }) };
  if (!subject) return passed;
  const name = crypto.seal('identifier', subject.name, row.id);
  const number = namedPlace(users, subject);
  return {
    ...passed,
    subject: { userId: subject.user?.id ?? null, name, ...(number === 'second' && { number }) },
  };
}

async function move(deps: LoginsDeps, around: Around, event: Event, pass: Pass | null): Promise<Outcome> {
  const started = performance.now();
  const { app, devices, flow, now, row, sent, session, submission } = around;
  const user = event.type === 'restart' ? null : (pass?.subject?.user ?? around.user);
  const settles = event.type === 'passed' || event.type === 'continue' || event.type === 'later';
  const asked = settles
    ? methodsAhead(flow, row.state, deps.methods, event.type === 'passed' ? row.state.step : null)
    : null;
  const read = { app, devices, flow, user, session };
  const moment = { ...read, asked, browser: submission, startedAt: row.createdAt };
  const { device, facts } = await gatherFacts(deps, deps.storage.db, moment, now);
  await endCopied(deps, device, user, now);
  const decided = advance(flow, row.state, event, facts);
  const kept = keepDevice(deps, { app, flow, user, browser: submission }, decided, device, now);
  const planned = { ...decided, records: [...decided.records, ...(kept?.records ?? [])] };
  const { plan, riders, sends } = await permitted(deps, around, user, planned);
  const notices = await Promise.all([
    newDeviceNotice(deps, { row, submission, user }, plan, now),
    factorNotice(deps, { row, submission, user }, pass, now),
  ]);
  riders.push(
    ...askingFirst(deps.storage.db, flow, plan.state, now),
    ...(kept?.riders ?? []),
    ...notices.flatMap((notice) => notice.riders),
  );
  const committed = await commitMove(deps, {
    ...{ row, plan, sends, riders, pass, user, session, now },
    guards: kept?.guards ?? [],
    context: { ...contextOf(around), subject: user?.id ?? null },
    ip: submission.ip,
    userAgent: submission.userAgent,
    country: submission.country ?? null,
  });
  if (committed.is === 'refused') {
    return { is: 'retry', text: committed.text, field: null, retryAt: null };
  }
  if (committed.is === 'late') return { is: 'show', opened: null };
  if (decided.effects.length > 0 && !plan.state.proved) await alike(started);
  pass?.after?.();
  for (const notice of notices) notice.send();
  if (event.type === 'passed') await notNeeded(deps, row, event.method);
  await deliver(deps, committed.messages, plan.state.proved);
  if (plan.next.is === 'show') {
    return { is: 'show', opened: { ...read, row: committed.row, sent } };
  }
  const passed = committed.row.state.passed.map(({ method }) => method);
  return {
    is: 'ended',
    row: committed.row,
    userId: plan.next.is === 'finish' && row.continuation.kind !== 'recovery' ? (user?.id ?? null) : null,
    passed,
    remembered: kept?.cookie ?? null,
  };
}

/** Longer than a message takes to be written, with all that the guard looks at; its sending begins afterwards. */
const alikeMs = 120;

/** Whether there is somebody to send something to is not to be told by the time: one moment for all names. */
const alike = (started: number): Promise<void> => delay(Math.max(0, alikeMs - (performance.now() - started)));

/** By then the answer is on its way; what is lost with the process is taken up by delivery. */
const afterAnswerMs = 25;

/**
 * Sends what was committed. The page waits for the outcome, so that it can say what became of the message; but not
 * before a factor was passed: the time would tell whether there was anything to send.
 */
async function deliver(deps: LoginsDeps, messages: OutgoingMessage[], proved: boolean): Promise<void> {
  if (!proved) return void setTimeout(() => void deliver(deps, messages, true), afterAnswerMs);
  await Promise.all(messages.map((message) => deps.delivery.send(message))).catch((error) => {
    deps.log.error({ err: error }, 'a message could not be handed to delivery');
  });
}

const contextOf = ({ app, row, submission, user }: Around): Omit<AuditEvent, 'name'> => ({
  subject: user?.id ?? null,
  appId: app.id,
  loginId: row.id,
  ip: submission.ip,
  userAgent: submission.userAgent,
});
