import type { Audit, AuditEvent } from '../audit/types.ts';
import type { Crypto } from '../crypto/types.ts';
import { after, type Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/log.ts';
import { type Rider, writeTogether } from '../storage/index.ts';
import type { Db } from '../storage/types.ts';
import type { Tracer } from '../telemetry/types.ts';
import { attempt } from './attempt.ts';
import type { Admission, Breakers } from './breaker/breakers.ts';
import { keepsCode } from './codes/keeping.ts';
import { wantsUse } from './conversions/conversions.ts';
import { claim, finishing } from './messages/store.ts';
import type { Dispatch } from './preset.ts';
import type { Provider, Providers } from './providers.ts';
import { receiptAddress } from './receipts/address.ts';
import { findStopped, stoppedReason } from './receipts/stops.ts';
import type { Router } from './routing/router.ts';
import * as store from './store.ts';
import type { Outcome, OutcomeListener, OutgoingMessage } from './types.ts';
import { startingTimer } from './workflows/store.ts';

export interface OutboxDeps {
  db: Db;
  crypto: Crypto;
  clock: Clock;
  log: Logger;
  issuer: URL;
  audit: Audit;
  providers: Providers;
  router: Router;
  breakers: Breakers;
  tracer?: Tracer | null;
}

/** Takes messages that are queued to their one outcome. */
export interface Outbox {
  send(message: OutgoingMessage): Promise<Outcome>;
  /** Ends a queued message that is not going to be sent. */
  drop(id: string, reason: string): Promise<void>;
  /** Ends a message whose sender has gone; nobody knows how far it came. */
  abandon(facts: store.MessageFacts, reason: string): Promise<void>;
  /** Ends a queued message that may not go to its number. */
  refuse(id: string, reason: string): Promise<Outcome>;
  /** What was kept back while another message was to follow this one, which did not go out: none follows after all. */
  undelivered(db: Db, row: store.MessageRow, now: Date): Rider[];
  onOutcome(listener: OutcomeListener): void;
}

/** For one message over all its providers: somebody waits. */
const WHOLE_MS = 8_000;
/** How long a provider that left a message open is asked last for the same destination. */
const AVOID_MS = 10 * 60_000;

/** An audit event about a message; never its number or text. */
export const messageEvent = (
  facts: store.MessageFacts,
  status: string,
  reason: string | null,
): AuditEvent => ({
  name: `message.${status}`,
  subject: facts.user_id,
  appId: facts.app_id,
  loginId: facts.login_id,
  result: status,
  reason,
  data: {
    message: facts.id,
    channel: facts.channel,
    purpose: facts.purpose,
    provider: facts.provider_id,
    country: facts.to_country,
  },
});

export function createOutbox(deps: OutboxDeps): Outbox {
  const listeners: OutcomeListener[] = [];
  const consequences = consequencesWith(deps, listeners);
  const end = createEnd(deps, consequences);
  return {
    send: (message) => send(deps, end, message),
    async drop(id, reason) {
      const facts = await store.findFacts(deps.db, id);
      if (facts) await end(facts, 'queued', { status: 'unavailable', reason }, [reason], null);
    },
    abandon: (facts, reason) => end(facts, 'sending', { status: 'unknown', reason }, [reason], null),
    async refuse(id, reason) {
      const facts = await store.findFacts(deps.db, id);
      const outcome: Outcome = { status: 'rejected', reason };
      if (facts) await end(facts, 'queued', outcome, [reason], null);
      return outcome;
    },
    undelivered(db, row, now) {
      if (row.status !== 'unavailable') return [];
      return tell(listeners, db, row, { status: 'unavailable', reason: row.reason ?? '' }, now);
    },
    onOutcome: (listener) => void listeners.push(listener),
  };
}

const tell = (
  listeners: OutcomeListener[],
  db: Db,
  { id, purpose, reference }: store.MessageFacts,
  outcome: Outcome,
  now: Date,
): Rider[] =>
  listeners.flatMap((listener) => listener(db, { id, reference: reference ?? '', purpose }, outcome, now));

/** What is written with the outcome of a message. */
type Consequences = (
  facts: store.MessageFacts,
  outcome: Outcome,
  message: OutgoingMessage | null,
  now: Date,
) => Rider[];

function consequencesWith({ db, audit, crypto }: OutboxDeps, listeners: OutcomeListener[]): Consequences {
  return (facts, outcome, message, now) => {
    const reason = outcome.status === 'accepted' ? null : outcome.reason;
    const recorded = audit.riders(db, now, [messageEvent(facts, outcome.status, reason)]);
    const timer = message && startingTimer({ db, crypto }, message, outcome, facts.fresh_until, now);
    // What it carries lives on in the message that follows, whose outcome is told then.
    if (timer && outcome.status === 'unavailable') return [...recorded, timer];
    return [...recorded, ...(timer ? [timer] : []), ...tell(listeners, db, facts, outcome, now)];
  };
}

/**
 * Records the one outcome, with all that follows from it. `account`: what failed on the way to it, by provider.
 * `message`: to go on with where it does not arrive; null when nothing is to follow.
 */
type End = (
  facts: store.MessageFacts,
  status: 'queued' | 'sending',
  outcome: Outcome,
  account: string[],
  message: OutgoingMessage | null,
) => Promise<void>;

function createEnd({ db, clock, log }: OutboxDeps, consequences: Consequences): End {
  return async (facts, status, outcome, account, message) => {
    const now = clock.now();
    const gatewayId = outcome.status === 'accepted' ? outcome.gatewayId : null;
    const reason = account.join('; ') || null;
    const ending = finishing({ ...facts, status }, { status: outcome.status, reason, gatewayId }, now);
    try {
      await writeTogether(db, [ending], consequences(facts, outcome, message, now));
    } catch (error) {
      log.error({ message: facts.id, outcome: outcome.status, err: error }, 'outcome not recorded');
    }
  };
}

/** One provider after the other, as long as each says that it surely did not take the message. */
async function send(deps: OutboxDeps, end: End, message: OutgoingMessage): Promise<Outcome> {
  const { db, clock, crypto, log, audit, breakers } = deps;
  const started = performance.now();
  const account: string[] = [];
  const answers: Answer[] = [];
  const hashes = crypto.macs('message', message.to);
  const order = await inOrder(deps, message, hashes);
  const nobody = `no provider for ${message.channel} is configured`;
  let outcome: Outcome = { status: 'unavailable', reason: nobody };
  if (order.length === 0) account.push(nobody);
  let held: store.MessageFacts | undefined;
  for (const provider of order) {
    const left = WHOLE_MS - (performance.now() - started);
    if (left <= 0) break;
    const admission = await breakers.admit(provider.id, clock.now());
    if (admission.is === 'refused') {
      account.push(`${provider.id}: ${admission.reason}`);
      if (held === undefined) outcome = { status: 'unavailable', reason: admission.reason };
      continue;
    }
    const from = held?.provider_id ?? null;
    const right = {
      ...{ id: message.id, providerId: provider.id, from, hashes },
      ...{ keepsCode: keepsCode(provider), wantsUse: wantsUse(provider) },
    };
    const facts = await claim(db, right, clock.now());
    if (facts === undefined) {
      if (!(await findStopped(db, hashes))) return known(db, message.id);
      outcome = { status: 'rejected', reason: stoppedReason };
      account.splice(0, account.length, stoppedReason);
      break;
    }
    if (from !== null && outcome.status === 'unavailable') {
      const failed = messageEvent({ ...facts, provider_id: from }, 'unavailable', outcome.reason);
      await audit.record(db, clock.now(), [failed]);
    }
    outcome = await ask(deps, provider, message, left);
    held = facts;
    answers.push({ provider, outcome, admission });
    if (outcome.status === 'accepted') break;
    const { status, reason } = outcome;
    account.push(`${provider.id}: ${reason}`);
    log.warn({ message: message.id, provider: provider.id, outcome: status, reason }, 'message not accepted');
    if (status !== 'unavailable') break;
  }
  const facts = held ?? (await store.findFacts(db, message.id));
  if (facts) await end(facts, held ? 'sending' : 'queued', outcome, account, message);
  for (const answer of answers) await count(deps, answer);
  return outcome;
}

interface Answer {
  provider: Provider;
  outcome: Outcome;
  admission: Admission;
}

/** For the breaker, when the outcome is recorded: that comes first, whatever the database then says. */
async function count(
  { breakers, clock, log }: OutboxDeps,
  { provider: { id, broken }, outcome, admission }: Answer,
): Promise<void> {
  // Nobody was asked, and whoever mends the provider wants it asked at once.
  if (broken !== null) return;
  await breakers
    .tell(id, outcome, admission, clock.now())
    .catch((err) => log.error({ err, provider: id }, 'the answer of a provider was not counted'));
}

/** The gateway is not told of our traces: it is not ours. */
async function ask(
  deps: OutboxDeps,
  provider: Provider,
  message: OutgoingMessage,
  left: number,
): Promise<Outcome> {
  const work = () => attempt(provider, dispatchOf(deps, provider, message), left, toolsOf(deps));
  if (!deps.tracer) return work();
  const facts = { 'sallyport.provider': provider.id, 'sallyport.channel': message.channel };
  return deps.tracer.span('send message', { kind: 'client', facts }, async (tell) => {
    const outcome = await work();
    tell({ 'sallyport.outcome': outcome.status });
    return outcome;
  });
}

const toolsOf = ({ db, crypto, clock }: OutboxDeps) => ({ db, crypto, now: clock.now() });

const dispatchOf = (
  { crypto, issuer }: OutboxDeps,
  provider: Provider,
  message: OutgoingMessage,
): Dispatch => ({
  ...message,
  from: provider.from,
  callback: receiptAddress({ crypto, issuer }, provider.id, message.id),
});

/** As the channel says, but last the one that may already have sent something to this destination. */
async function inOrder(
  { clock, db, providers, router }: OutboxDeps,
  message: OutgoingMessage,
  hashes: string[],
): Promise<Provider[]> {
  const all = providers.of(message.channel);
  const able = message.code === null ? all.filter(({ preset }) => !preset.codesOnly) : all;
  const order = router.order(message, able);
  if (order.length < 2) return order;
  const avoided = await store.lastUnknownProvider(db, hashes, after(clock.now(), -AVOID_MS));
  return [...order.filter(({ id }) => id !== avoided), ...order.filter(({ id }) => id === avoided)];
}

/** Somebody else has the message: what is known of it. */
async function known(db: Db, id: string): Promise<Outcome> {
  const row = await store.findMessage(db, id);
  const reason = row?.reason ?? 'another instance has this message';
  switch (row?.status) {
    case 'accepted':
    case 'delivered':
    case 'failed':
      return { status: 'accepted', gatewayId: row.gateway_id };
    case 'rejected':
      return { status: 'rejected', reason };
    case 'sending':
    case 'unknown':
      return { status: 'unknown', reason };
    default:
      return { status: 'unavailable', reason: row?.reason ?? 'it was too late to send it' };
  }
}
