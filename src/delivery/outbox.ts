import type { Audit, AuditEvent } from '../audit/types.ts';
import type { Crypto } from '../crypto/types.ts';
import { after, type Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/log.ts';
import { type Rider, writeTogether } from '../storage/index.ts';
import type { Db } from '../storage/types.ts';
import type { Tracer } from '../telemetry/types.ts';
import { attempt } from './attempt.ts';
import type { Dispatch } from './preset.ts';
import type { Provider, Providers } from './providers.ts';
import * as store from './store.ts';
import type { Outcome, OutcomeListener, OutgoingMessage } from './types.ts';

export interface OutboxDeps {
  db: Db;
  crypto: Crypto;
  clock: Clock;
  log: Logger;
  issuer: URL;
  audit: Audit;
  providers: Providers;
  tracer?: Tracer | null;
}

/** Takes messages that are queued to their one outcome. */
export interface Outbox {
  send(message: OutgoingMessage): Promise<Outcome>;
  /** Ends a queued message that is not going to be sent. */
  drop(id: string, reason: string): Promise<void>;
  /** Ends a message whose sender has gone; nobody knows how far it came. */
  abandon(facts: store.MessageFacts, reason: string): Promise<void>;
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
      if (facts) await end(facts, 'queued', { status: 'unavailable', reason }, [reason]);
    },
    abandon: (facts, reason) => end(facts, 'sending', { status: 'unknown', reason }, [reason]),
    onOutcome: (listener) => void listeners.push(listener),
  };
}

/** What is written with the outcome of a message. */
type Consequences = (facts: store.MessageFacts, outcome: Outcome, now: Date) => Rider[];

function consequencesWith({ db, audit }: OutboxDeps, listeners: OutcomeListener[]): Consequences {
  return (facts, outcome, now) => {
    const reason = outcome.status === 'accepted' ? null : outcome.reason;
    const { id, reference, purpose } = facts;
    return [
      ...audit.riders(db, now, [messageEvent(facts, outcome.status, reason)]),
      ...listeners.flatMap((listener) =>
        listener(db, { id, reference: reference ?? '', purpose }, outcome, now),
      ),
    ];
  };
}

/** Records the one outcome, with all that follows from it. `account`: what failed on the way to it, by provider. */
type End = (
  facts: store.MessageFacts,
  status: 'queued' | 'sending',
  outcome: Outcome,
  account: string[],
) => Promise<void>;

function createEnd({ db, clock, log }: OutboxDeps, consequences: Consequences): End {
  return async (facts, status, outcome, account) => {
    const now = clock.now();
    const gatewayId = outcome.status === 'accepted' ? outcome.gatewayId : null;
    const reason = account.join('; ') || null;
    const ending = store.finishing(
      db,
      { ...facts, status },
      { status: outcome.status, reason, gatewayId },
      now,
    );
    try {
      await writeTogether(db, [ending], consequences(facts, outcome, now));
    } catch (error) {
      log.error({ message: facts.id, outcome: outcome.status, err: error }, 'outcome not recorded');
    }
  };
}

/** One provider after the other, as long as each says that it surely did not take the message. */
async function send(deps: OutboxDeps, end: End, message: OutgoingMessage): Promise<Outcome> {
  const { db, clock, log, audit } = deps;
  const started = performance.now();
  const account: string[] = [];
  const order = await inOrder(deps, message);
  const nobody = `no provider for ${message.channel} is configured`;
  let outcome: Outcome = { status: 'unavailable', reason: nobody };
  if (order.length === 0) account.push(nobody);
  let held: store.MessageFacts | undefined;
  for (const provider of order) {
    const left = WHOLE_MS - (performance.now() - started);
    if (left <= 0) break;
    const from = held?.provider_id ?? null;
    const facts = await store.claim(db, { id: message.id, providerId: provider.id, from }, clock.now());
    if (facts === undefined) return known(db, message.id);
    if (from !== null && outcome.status === 'unavailable') {
      const failed = messageEvent({ ...facts, provider_id: from }, 'unavailable', outcome.reason);
      await audit.record(db, clock.now(), [failed]);
    }
    outcome = await ask(deps, provider, message, left);
    held = facts;
    if (outcome.status === 'accepted') break;
    const { status, reason } = outcome;
    account.push(`${provider.id}: ${reason}`);
    log.warn({ message: message.id, provider: provider.id, outcome: status, reason }, 'message not accepted');
    if (status !== 'unavailable') break;
  }
  const facts = held ?? (await store.findFacts(db, message.id));
  if (facts) await end(facts, held ? 'sending' : 'queued', outcome, account);
  return outcome;
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

const dispatchOf = ({ issuer }: OutboxDeps, provider: Provider, message: OutgoingMessage): Dispatch => ({
  ...message,
  from: provider.from,
  callback: new URL(
    `/receipts/${encodeURIComponent(provider.id)}?message=${encodeURIComponent(message.id)}`,
    issuer,
  ).href,
});

/** The channel's order, but last the one that may already have sent something to this destination. */
async function inOrder(deps: OutboxDeps, message: OutgoingMessage): Promise<Provider[]> {
  const providers = deps.providers.of(message.channel);
  if (providers.length < 2) return providers;
  const since = after(deps.clock.now(), -AVOID_MS);
  const avoided = await store.lastUnknownProvider(deps.db, deps.crypto.macs('message', message.to), since);
  return [...providers.filter(({ id }) => id !== avoided), ...providers.filter(({ id }) => id === avoided)];
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
