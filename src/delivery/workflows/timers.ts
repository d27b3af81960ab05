import type { Audit } from '../../audit/types.ts';
import type { Crypto } from '../../crypto/types.ts';
import type { Guard, SendAnswer, SendRequest } from '../../guard/types.ts';
import { after } from '../../lib/clock.ts';
import type { Logger } from '../../lib/log.ts';
import { type Rider, sendRiders } from '../../storage/index.ts';
import type { Db, Storage } from '../../storage/types.ts';
import { draft } from '../messages/drafts.ts';
import { messageEvent } from '../outbox.ts';
import * as messages from '../store.ts';
import type { Chain, FollowUp, OutgoingMessage, StillWanted } from '../types.ts';
import { claimDue, removeTimer, type Timer } from './store.ts';

export interface TimersDeps {
  storage: Pick<Storage, 'db' | 'transaction'>;
  crypto: Crypto;
  log: Logger;
  audit: Audit;
  /** Whether a message may go out, as for those that people ask for. Without one every message may. */
  guard?: Pick<Guard, 'allowSend' | 'recordingSend'>;
  /** What is told of a message that did not go out, and that nothing follows after all. */
  undelivered(db: Db, row: messages.MessageRow, now: Date): Rider[];
}

/** What follows a message that does not arrive. */
export interface Timers {
  /**
   * Writes the messages that are due; the caller sends them. A timer goes in the transaction that writes its message, so
   * whichever instance is killed when, each message is written once; one that nobody sends is recovered like any other.
   */
  fire(now: Date): Promise<OutgoingMessage[]>;
  onFollowUp(wanted: StillWanted): void;
}

const BATCH = 20;
/** Longer than all that is asked about one message. */
const CLAIMED_MS = 15_000;

export function createTimers(deps: TimersDeps): Timers {
  const askers: StillWanted[] = [];
  const { db } = deps.storage;
  return {
    onFollowUp: (wanted) => void askers.push(wanted),
    async fire(now) {
      const written: OutgoingMessage[] = [];
      for (let n = 0; n < BATCH; n++) {
        const timer = await claimDue(db, now, after(now, CLAIMED_MS));
        if (timer === undefined) break;
        const message = await follow(deps, askers, timer, now).catch((err) => {
          deps.log.error({ err, message: timer.message_id }, 'a follow-up was not written; trying again');
          return null;
        });
        if (message) written.push(message);
      }
      return written;
    },
  };
}

/** The next message, written; null when none is to follow. */
async function follow(
  deps: TimersDeps,
  askers: StillWanted[],
  timer: Timer,
  now: Date,
): Promise<OutgoingMessage | null> {
  const before = open(deps, timer);
  if (before === null) return drop(deps, timer, now);
  const followed = await following(deps, askers, timer, before, now);
  const { guard } = deps;
  const answer = followed && guard ? await guard.allowSend(requestOf(deps, followed), now) : null;
  // Where numbers are looked up that took seconds, in which the message may have arrived or its code been typed.
  const still = answer === null ? followed : await following(deps, askers, timer, before, now);
  if (still !== null) return write(deps, timer, still, answer, now);
  await removeTimer(deps.storage.db, timer.message_id);
  return null;
}

/** A message that has not arrived, and that is to be followed by its next one. */
interface Followed {
  row: messages.MessageRow;
  before: OutgoingMessage;
  chain: Chain;
  next: FollowUp;
}

/** Null when nothing is to follow. */
async function following(
  deps: TimersDeps,
  askers: StillWanted[],
  timer: Timer,
  before: OutgoingMessage,
  now: Date,
): Promise<Followed | null> {
  const { db } = deps.storage;
  const row = await messages.findMessage(db, timer.message_id);
  const { chain } = before;
  const next = chain?.next[0];
  if (!row || !chain || !next || row.fresh_until <= now) return null;
  const arrived = row.receipt === 'read' || (next.unless === 'delivered' && row.receipt === 'delivered');
  if (arrived) return null;
  const about = { reference: row.reference ?? '', purpose: row.purpose, loginId: row.login_id };
  for (const wanted of askers) if (!(await wanted(db, about, now))) return null;
  return { row, before, chain, next };
}

/** Nobody can say what was to follow: it would be looked at again and again until it is of no more use. */
async function drop(deps: TimersDeps, timer: Timer, now: Date): Promise<null> {
  return deps.storage.transaction(async (tx) => {
    const row = await messages.findMessage(tx, timer.message_id);
    if (!(await removeTimer(tx, timer.message_id)) || !row) return null;
    const event = { ...messageEvent(row, 'dropped', 'unreadable'), name: 'followup.dropped' };
    await sendRiders(tx, [...deps.audit.riders(tx, now, [event]), ...deps.undelivered(tx, row, now)]);
    return null;
  });
}

/**
 * The next message, written; null when the guard refuses it, or somebody else has written it. The guard counts by itself,
 * before: killed in between, the message counts twice and goes once.
 */
async function write(
  deps: TimersDeps,
  timer: Timer,
  { before, chain, next, row }: Followed,
  answer: SendAnswer | null,
  now: Date,
): Promise<OutgoingMessage | null> {
  return deps.storage.transaction(async (tx) => {
    if (!(await removeTimer(tx, timer.message_id))) return null;
    const decided = answer === null ? [] : (deps.guard?.recordingSend(tx, answer, now) ?? []);
    if (answer !== null && !answer.allowed) {
      await sendRiders(tx, [...decided, ...deps.undelivered(tx, row, now)]);
      return null;
    }
    const { words } = chain;
    const { message, riders } = draft(
      deps,
      tx,
      {
        ...{ channel: next.channel, purpose: row.purpose, reference: row.reference ?? '' },
        ...(words[next.channel] ?? { text: before.text, subject: before.subject ?? null }),
        to: before.to,
        ...{ code: before.code, locale: before.locale, app: before.app, user: before.user },
        ...{ loginId: row.login_id, freshUntil: row.fresh_until },
      },
      { via: next.via, next: chain.next.slice(1), words },
      now,
    );
    await sendRiders(tx, [...decided, ...riders]);
    return message;
  });
}

/** Nobody stands before a browser for it: the address is nobody's, and a challenge cannot be passed. */
const requestOf = (
  { crypto }: TimersDeps,
  { row, before: { to }, next: { channel } }: Followed,
): SendRequest => ({
  ...{ number: to, numberHash: crypto.mac('identifier', to), userId: row.user_id, ip: null },
  ...{ appId: row.app_id, loginId: row.login_id, channel, followUp: true, mayWait: true },
});

/** Null for what was sealed under a key that is gone, or written by a release with other chains. */
function open({ crypto, log }: TimersDeps, { message_id, sealed }: Timer): OutgoingMessage | null {
  try {
    const message = JSON.parse(crypto.open('message', sealed, message_id)) as Partial<OutgoingMessage>;
    if (isWhole(message)) return message;
    throw new Error('it has another form than this release gives it');
  } catch (error) {
    log.error({ message: message_id, err: error }, 'a message that should follow cannot be read');
    return null;
  }
}

const isWhole = (message: Partial<OutgoingMessage>): message is OutgoingMessage => {
  const { chain, text, to } = message;
  const steps = chain?.next.map(({ afterMs, channel }) => typeof channel === 'string' && afterMs >= 0);
  return (
    typeof to === 'string' &&
    typeof text === 'string' &&
    typeof chain?.words === 'object' &&
    !!steps?.every(Boolean)
  );
};
