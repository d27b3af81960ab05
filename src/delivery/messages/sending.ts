import type { Crypto } from '../../crypto/types.ts';
import type { Guard } from '../../guard/types.ts';
import { after, type Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/log.ts';
import { createTicker } from '../../lib/ticker.ts';
import { sendRiders } from '../../storage/index.ts';
import type { Db } from '../../storage/types.ts';
import type { Outbox } from '../outbox.ts';
import * as store from '../store.ts';
import type { Outcome, OutgoingMessage } from '../types.ts';
import type { Timers } from '../workflows/timers.ts';
import { reopen } from './drafts.ts';

export interface SendingDeps {
  db: Db;
  crypto: Crypto;
  clock: Clock;
  log: Logger;
  outbox: Outbox;
  timers: Timers;
  /** Whether anything follows any message. */
  hasFollowUps(): boolean;
  /** Knows of numbers to which nothing may go. */
  guard?: Pick<Guard, 'lookUp' | 'recordingSend'>;
}

/** Sends what is written, whoever wrote it. */
export interface Sending {
  send(message: OutgoingMessage): Promise<Outcome>;
  /** Writes what follows messages that have not arrived, and begins to send it. */
  followUp(now: Date): Promise<void>;
  recover(now: Date): Promise<void>;
  /** From now on both, again and again. */
  start(): void;
  /** Waits for what is under way. */
  close(): Promise<void>;
}

/** An instance that queued a message sends it at once; after so long it has died. */
const QUEUED_STALE_MS = 5_000;
const SENDING_STALE_MS = 60_000;
const RECOVER_BATCH = 50;
/** How often messages are looked for that another instance left behind. */
const RECOVER_EVERY_MS = 5_000;
/** How often messages are looked for that have not arrived in time. */
const FOLLOW_EVERY_MS = 1_000;

export function createSending(deps: SendingDeps): Sending {
  const { clock, log, outbox, timers } = deps;
  const underWay = new Set<Promise<Outcome>>();

  function send(message: OutgoingMessage): Promise<Outcome> {
    const sending = sendAndFollow(message);
    underWay.add(sending);
    return sending.finally(() => underWay.delete(sending));
  }

  /** What surely did not go out is followed at once; somebody waits. */
  async function sendAndFollow(message: OutgoingMessage): Promise<Outcome> {
    const held = await heldBack(deps, message);
    const outcome = held === null ? await outbox.send(message) : await outbox.refuse(message.id, held);
    if (outcome.status === 'unavailable' && message.chain?.next.length) await followUp(clock.now());
    return outcome;
  }

  async function followUp(now: Date): Promise<void> {
    try {
      for (const message of await timers.fire(now)) {
        send(message).catch((err) => log.error({ err, message: message.id }, 'a follow-up was not sent'));
      }
    } catch (err) {
      log.error({ err }, 'follow-ups not written; trying again');
    }
  }

  const recovery = createTicker(
    () => recover(deps, send, clock.now()).catch((err) => log.warn({ err }, 'messages not recovered')),
    () => RECOVER_EVERY_MS,
  );
  const followUps = createTicker(
    async () => (deps.hasFollowUps() ? followUp(clock.now()) : undefined),
    () => FOLLOW_EVERY_MS,
  );
  return {
    send,
    followUp,
    recover: (now) => recover(deps, send, now),
    start() {
      recovery.start();
      followUps.start();
    },
    async close() {
      await Promise.all([recovery.stop(), followUps.stop()]);
      // Each has its own time limit; cut now, nobody would know whether it was sent.
      await Promise.allSettled(underWay);
    },
  };
}

/**
 * Why nothing may go to this number, as somebody else knows; null: it may. Asked here and not only where people wait:
 * before a factor was passed nobody waits, for how long it takes would tell that there is a number.
 */
async function heldBack(
  { clock, crypto, db, guard }: SendingDeps,
  { app, channel, to, user }: OutgoingMessage,
): Promise<string | null> {
  if (guard === undefined) return null;
  const now = clock.now();
  const whom = { number: to, numberHash: crypto.mac('identifier', to), userId: user?.id ?? null, ip: null };
  const answer = await guard.lookUp({ ...whom, appId: app?.id ?? null, channel }, now);
  const decided = guard.recordingSend(db, answer, now);
  if (decided.length > 0) await sendRiders(db, decided);
  return answer.allowed ? null : `held back by the rule ${answer.rule}`;
}

/** Takes up what another instance has left behind. */
async function recover(
  { crypto, db, log, outbox }: SendingDeps,
  send: Sending['send'],
  now: Date,
): Promise<void> {
  const gone = 'the instance that was sending it is gone';
  for (const facts of await store.listStaleSending(db, after(now, -SENDING_STALE_MS))) {
    await outbox.abandon(facts, gone);
  }
  const resume = async (row: store.MessageRow): Promise<void> => {
    const message = row.fresh_until > now ? reopen(crypto, row, log) : null;
    if (message === null) await outbox.drop(row.id, 'nobody sent it in time');
    else await send(message);
  };
  const queued = await store.listStaleQueued(db, after(now, -QUEUED_STALE_MS), RECOVER_BATCH);
  const resumed = await Promise.allSettled(queued.map(resume));
  for (const result of resumed) {
    if (result.status === 'rejected') log.error({ err: result.reason }, 'queued message not recovered');
  }
}
