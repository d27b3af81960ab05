import type { Dispatcher } from 'undici';
import type { Audit } from '../audit/types.ts';
import type { References } from '../config/types.ts';
import type { Crypto } from '../crypto/types.ts';
import { after, type Clock } from '../lib/clock.ts';
import { newId } from '../lib/ids.ts';
import type { Logger } from '../lib/log.ts';
import { type Rider, sendRiders } from '../storage/index.ts';
import type { Db, Storage } from '../storage/types.ts';
import type { Tracer } from '../telemetry/types.ts';
import { createDestination } from './destination.ts';
import { createEgress, type EgressOptions } from './network/egress.ts';
import { createOutbox, messageEvent } from './outbox.ts';
import { presets } from './presets/index.ts';
import { createProviders } from './providers.ts';
import * as store from './store.ts';
import type { Delivery, NewMessage, Outcome, OutgoingMessage } from './types.ts';

export interface DeliveryDeps {
  storage: Storage;
  crypto: Crypto;
  clock: Clock;
  log: Logger;
  references: References;
  issuer: URL;
  audit: Audit;
  tracer?: Tracer | null;
  /** Opens connections in place of {@link createEgress}. */
  egress?: (options: EgressOptions) => Dispatcher;
}

/** What the composition root needs beside the contract. */
export interface DeliveryService extends Delivery {
  /** Reads the providers at once instead of at the next tick of the revisions. */
  reload(): Promise<void>;
  /** True when messages end on the simulator's page. */
  simulatorConfigured(): boolean;
}

/** An instance that queued a message sends it at once; after so long it has died. */
const QUEUED_STALE_MS = 5_000;
const SENDING_STALE_MS = 60_000;
const RECOVER_BATCH = 50;

/** What is needed to send a message later, by any instance; sealed. */
type Sealed = Pick<OutgoingMessage, 'text' | 'code' | 'app' | 'user'>;

/** Loads the providers and keeps them as the configuration has them. */
export async function createDelivery(deps: DeliveryDeps): Promise<DeliveryService> {
  const { storage, crypto, log } = deps;
  const { db } = storage;
  const providers = createProviders({ ...deps, presets, egress: deps.egress ?? createEgress });
  const outbox = createOutbox({ ...deps, db, providers });
  const underWay = new Set<Promise<Outcome>>();

  const reload = () => providers.reload(db);
  await reload();
  const unwatch = storage.revisions.watch('providers', () => {
    reload().catch((error) => log.error({ err: error }, 'providers not reloaded'));
  });

  function send(message: OutgoingMessage): Promise<Outcome> {
    const sending = outbox.send(message);
    underWay.add(sending);
    return sending.finally(() => underWay.delete(sending));
  }

  async function resume(row: store.MessageRow, now: Date): Promise<void> {
    const message = row.fresh_until > now ? reopen(crypto, row, log) : null;
    if (message === null) await outbox.drop(row.id, 'nobody sent it in time');
    else await send(message);
  }

  return {
    has: (channel) => providers.of(channel).length > 0,
    draft: (handle, message, now) => draft(deps, handle, message, now),
    async queue(tx, message, now) {
      const drafted = draft(deps, tx, message, now);
      await sendRiders(tx, drafted.riders);
      return drafted.message;
    },
    send,
    state: store.stateOf,
    onOutcome: outbox.onOutcome,
    async recover(now) {
      const gone = 'the instance that was sending it is gone';
      for (const facts of await store.listStaleSending(db, after(now, -SENDING_STALE_MS))) {
        await outbox.abandon(facts, gone);
      }
      const queued = await store.listStaleQueued(db, after(now, -QUEUED_STALE_MS), RECOVER_BATCH);
      const resumed = await Promise.allSettled(queued.map((row) => resume(row, now)));
      for (const result of resumed) {
        if (result.status === 'rejected') log.error({ err: result.reason }, 'queued message not recovered');
      }
    },
    async close() {
      unwatch();
      // Each has its own time limit; cut now, nobody would know whether it was sent.
      await Promise.allSettled(underWay);
      await providers.close();
    },
    reload,
    simulatorConfigured: () => providers.all().some(({ preset }) => preset.id === 'simulator'),
  };
}

function draft(
  { crypto, audit }: DeliveryDeps,
  db: Db,
  message: NewMessage,
  now: Date,
): { message: OutgoingMessage; riders: Rider[] } {
  const id = newId('msg');
  const { channel, to, text, code, locale, app, user } = message;
  const destination = createDestination(crypto, to, id);
  const sealed = crypto.seal('message', JSON.stringify({ text, code, app, user } satisfies Sealed), id);
  const { known, insert } = store.insertQueued(db, id, message, { destination, text: sealed }, now);
  const riders = [insert, ...audit.riders(db, now, [messageEvent(known, 'queued', null)])];
  return { message: { id, channel, to, text, code, locale, app, user }, riders };
}

/** Null when its key is gone: then nobody can send it any more. */
function reopen(crypto: Crypto, row: store.MessageRow, log: Logger): OutgoingMessage | null {
  try {
    const to = crypto.open('message', row.to_sealed ?? '', row.id);
    const sealed = JSON.parse(crypto.open('message', row.text_sealed ?? '', row.id)) as Sealed;
    return { id: row.id, channel: row.channel, to, locale: row.locale, ...sealed };
  } catch (error) {
    log.error({ message: row.id, err: error }, 'queued message cannot be opened');
    return null;
  }
}
