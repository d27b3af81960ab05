import type { Dispatcher } from 'undici';
import type { Audit } from '../audit/types.ts';
import type { References } from '../config/types.ts';
import type { Crypto } from '../crypto/types.ts';
import type { Guard } from '../guard/types.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/log.ts';
import { sendRiders } from '../storage/index.ts';
import type { Db, Storage } from '../storage/types.ts';
import type { Tracer } from '../telemetry/types.ts';
import { type Breakers, breakersTopic, createBreakers } from './breaker/breakers.ts';
import { createKeeping } from './codes/keeping.ts';
import { keptElsewhere } from './codes/store.ts';
import { createConversions } from './conversions/conversions.ts';
import { draft } from './messages/drafts.ts';
import { createSending } from './messages/sending.ts';
import { verifying } from './messages/store.ts';
import { createEgress, type EgressOptions } from './network/egress.ts';
import { createOutbox } from './outbox.ts';
import { presets } from './presets/index.ts';
import { createProviders } from './providers.ts';
import { createReceipts, type Receipts, type ReceiptsDeps } from './receipts/service.ts';
import { createRouter } from './routing/router.ts';
import * as store from './store.ts';
import type { Delivery, NewMessage } from './types.ts';
import { createWordings } from './wording/wordings.ts';
import { chainOf } from './workflows/chain.ts';
import { createTimers } from './workflows/timers.ts';

export interface DeliveryDeps {
  storage: Storage;
  crypto: Crypto;
  clock: Clock;
  log: Logger;
  references: References;
  issuer: URL;
  audit: Audit;
  tracer?: Tracer | null;
  /** Asked about messages that follow others, and about numbers; told what messages have cost. */
  guard?: Guard;
  /** Counts what is not recorded. */
  count?: ReceiptsDeps['count'];
  /** Opens connections in place of {@link createEgress}. */
  egress?: (options: EgressOptions) => Dispatcher;
}

/** What the composition root needs beside the contract. */
export interface DeliveryService extends Delivery {
  /** Reads the providers at once instead of at the next tick of the revisions. */
  reload(): Promise<void>;
  /** True when messages end on the simulator's page. */
  simulatorConfigured(): boolean;
  /** Writes what follows messages that have not arrived, and begins to send it. */
  followUp(now: Date): Promise<void>;
  /** Tells gateways that want to hear it what came of their messages. */
  reportUses(now: Date): Promise<void>;
  /**
   * From now on takes up what other instances left behind, sends what follows messages that do not arrive, and tells
   * gateways what came of theirs.
   */
  start(): void;
  receipts: Receipts;
  /** Providers that are left alone at this moment. */
  openBreakers(now: Date): ReturnType<Breakers['open']>;
  /** Every provider that is enabled, and whether it is left alone. */
  breakerStates(now: Date): { provider: string; open: boolean }[];
}

/** Loads the providers and keeps them as the configuration has them. */
export async function createDelivery(deps: DeliveryDeps): Promise<DeliveryService> {
  const { storage, log } = deps;
  const { db } = storage;
  const providers = createProviders({ ...deps, presets, egress: deps.egress ?? createEgress });
  const router = createRouter();
  const wordings = createWordings(deps);
  const breakers = createBreakers(deps);
  const outbox = createOutbox({ ...deps, db, providers, router, breakers });
  const timers = createTimers({ ...deps, undelivered: outbox.undelivered });
  const { hasFollowUps } = router;
  const sending = createSending({ ...deps, db, outbox, timers, hasFollowUps });
  const keeping = createKeeping({ ...deps, providers, breakers });
  const conversions = createConversions({ ...deps, db, providers });
  const write = (handle: Db, message: NewMessage, now: Date) =>
    draft(deps, handle, message, chainOf(router.of(message.channel), message), now);

  const reload = async () => {
    await Promise.all([providers.reload(db), router.reload(db), wordings.reload(db), breakers.reload()]);
  };
  await reload();
  const unwatch = watching(storage, log, reload, breakers.reload);

  return {
    has: (channel, what = 'codes') =>
      providers.of(channel).some(({ preset }) => what === 'codes' || !preset.codesOnly),
    words: wordings.words,
    draft: write,
    async queue(tx, message, now) {
      const drafted = write(tx, message, now);
      await sendRiders(tx, drafted.riders);
      return drafted.message;
    },
    send: sending.send,
    state: store.stateOf,
    stateValue: store.stateValue,
    onOutcome: outbox.onOutcome,
    onFollowUp: timers.onFollowUp,
    ...{ keptElsewhere, checkKept: keeping.check, keepsCodes: keeping.keepsCodes, verifying },
    recover: sending.recover,
    async close() {
      unwatch();
      await Promise.all([sending.close(), conversions.stop()]);
      await providers.close();
    },
    start() {
      sending.start();
      conversions.start();
    },
    followUp: sending.followUp,
    reportUses: conversions.report,
    receipts: createReceipts({ ...deps, providers, breakers, count: deps.count ?? (() => undefined) }),
    openBreakers: breakers.open,
    breakerStates(now) {
      const open = breakers.open(now);
      return providers.all().map(({ id }) => ({ provider: id, open: open.has(id) }));
    },
    reload,
    simulatorConfigured: () => providers.all().some(({ preset }) => preset.id === 'simulator'),
  };
}

/** Calls back what was told of changes; answers how to stop. */
function watching(
  { revisions }: Storage,
  log: Logger,
  reload: () => Promise<void>,
  reloadBreakers: () => Promise<void>,
): () => void {
  const watch = (topic: string, work: () => Promise<void>) =>
    revisions.watch(topic, () => {
      work().catch((error) => log.error({ err: error }, `${topic} not reloaded`));
    });
  const stops = [watch('providers', reload), watch(breakersTopic, reloadBreakers)];
  return () => {
    for (const stop of stops) stop();
  };
}
