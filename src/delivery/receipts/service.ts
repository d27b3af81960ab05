import type { Audit } from '../../audit/types.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Storage, Tx } from '../../storage/types.ts';
import type { Breakers } from '../breaker/breakers.ts';
import { createDestination } from '../destination.ts';
import { messageEvent } from '../outbox.ts';
import { isHttp } from '../preset.ts';
import type { Provider, Providers } from '../providers.ts';
import { hasten } from '../workflows/store.ts';
import { addressedMessage } from './address.ts';
import type { Call, Receipt, ReceiptReader, Reply } from './contract.ts';
import { type PricesDeps, takePrice } from './prices.ts';
import { resumeNumber, stopNumber, wishOf } from './stops.ts';
import * as store from './store.ts';

export interface ReceiptsDeps extends PricesDeps {
  storage: Pick<Storage, 'db' | 'transaction'>;
  clock: Clock;
  audit: Audit;
  providers: Pick<Providers, 'all'>;
  breakers: Breakers;
  /** What is counted without being recorded: a stranger's calls must not fill the record. */
  count(event: { name: string; data: { provider: string } }): void;
}

/** What to answer: a forged call is refused, all else is taken so that the gateway does not repeat it. */
export type Taken = 'taken' | 'forged' | 'unknown-provider';

/** `answer`: what the gateway wants to hear; null: nothing. */
export interface Heard {
  taken: Taken;
  answer: object | null;
}

const without = (taken: Taken): Heard => ({ taken, answer: null });

/** What gateways tell afterwards, and what people write back. */
export interface Receipts {
  report(providerId: string, call: Call): Promise<Heard>;
  reply(providerId: string, call: Call): Promise<Heard>;
}

export function createReceipts(deps: ReceiptsDeps): Receipts {
  const counted = (provider: Provider, result: string | null): void => {
    if (result !== null) deps.count({ name: `receipt.${result}`, data: { provider: provider.id } });
  };
  const find = (id: string): Provider | undefined =>
    deps.providers.all().find((provider) => provider.id === id && provider.broken === null);
  const forged = (provider: Provider): Heard => {
    counted(provider, 'forged');
    deps.log.warn({ provider: provider.id }, 'a call in the name of a provider was not signed by it');
    return without('forged');
  };

  return {
    async report(providerId, call) {
      const provider = find(providerId);
      if (provider === undefined) return without('unknown-provider');
      const reader = readerOf(provider);
      const signed = (await reader?.reader.signed(call, reader.prepared, deps.clock.now())) ?? null;
      const addressed = addressedMessage(deps.crypto, provider.id, call.query);
      if (signed === false || (signed === null && addressed === null)) return forged(provider);
      const reported = reader?.reader.receipts(call, reader.prepared) ?? [];
      for (const receipt of believed(reported, signed === true, addressed)) {
        counted(provider, await take(deps, provider, receipt));
      }
      return { taken: 'taken', answer: reader?.reader.answer?.(call, deps.clock.now()) ?? null };
    },

    async reply(providerId, call) {
      const provider = find(providerId);
      const reader = provider && readerOf(provider);
      if (!provider || !reader?.reader.replies) return without('unknown-provider');
      if ((await reader.reader.signed(call, reader.prepared, deps.clock.now())) !== true)
        return forged(provider);
      for (const reply of reader.reader.replies(call, reader.prepared)) {
        counted(provider, await heed(deps, provider, reply));
      }
      return without('taken');
    },
  };
}

function readerOf({ gateway }: Provider): { reader: ReceiptReader<unknown>; prepared: unknown } | undefined {
  const preset = gateway?.preset;
  if (!gateway || !preset || !isHttp(preset) || !preset.receipts) return undefined;
  return { reader: preset.receipts, prepared: gateway.prepared };
}

/**
 * Those that can be believed, with the message that they are about. An address of ours stands for its message alone; what
 * else a call says that the gateway did not sign may be about anybody's.
 */
function believed(receipts: Receipt[], signed: boolean, addressed: string | null): Receipt[] {
  const [only, ...more] = receipts;
  if (!signed) {
    const own = more.length === 0 ? only : receipts.find(({ messageId }) => messageId === addressed);
    return own === undefined ? [] : [{ ...own, messageId: addressed }];
  }
  // By the address even before the gateway's own id of the message has been written down.
  if (only && more.length === 0) return [{ ...only, messageId: only.messageId ?? addressed }];
  return receipts;
}

/**
 * Never twice the same, and never a step back: what is known stays known. Answers how it is to be counted; null: it was
 * recorded, and is counted with that.
 */
async function take(deps: ReceiptsDeps, provider: Provider, receipt: Receipt): Promise<string | null> {
  const { audit, clock, storage } = deps;
  const now = clock.now();
  const row = await storage.transaction(async (tx: Tx) => {
    const changed = await store.applyReceipt(tx, provider.id, receipt, now);
    if (changed === undefined) return undefined;
    const { state, failure, price } = receipt;
    if (price) await takePrice(deps, tx, changed, price);
    if (state !== 'sent') await audit.record(tx, now, [receiptEvent(changed, state, failure)]);
    if (state === 'failed') await hasten(tx, changed.id, now);
    return changed;
  });
  if (row === undefined) {
    return (await store.isKnown(storage.db, provider.id, receipt)) ? 'replayed' : 'unknown';
  }
  if (receipt.state === 'failed') await countFailure(deps, provider, row, receipt, now);
  return receipt.state === 'sent' ? 'sent' : null;
}

const receiptEvent = (row: store.ReportedRow, state: string, failure: string | null) => ({
  ...messageEvent(row, state, failure),
  name: `receipt.${state}`,
});

/**
 * A message that failed speaks against its provider when its number has verified something before. Anybody can ask for
 * messages to numbers that do not exist: those must not switch a provider off.
 */
async function countFailure(
  { breakers, crypto, log, storage }: ReceiptsDeps,
  { id }: Provider,
  row: store.ReportedRow,
  { failure }: Receipt,
  now: Date,
): Promise<void> {
  if (failure === 'number' || failure === 'blocked' || row.to_sealed === null) return;
  try {
    const hashes = crypto.macs('message', crypto.open('message', row.to_sealed, row.id));
    if (await store.hasVerified(storage.db, hashes)) await breakers.tellFailedReceipt(id, now);
  } catch (err) {
    log.error({ err, provider: id }, 'the report of a failure was not counted');
  }
}

/** Answers how it is counted. */
async function heed(
  { audit, clock, crypto, storage }: ReceiptsDeps,
  { id }: Provider,
  { from, text }: Reply,
): Promise<string> {
  const wish = wishOf(text);
  const digits = from.replace(/[^0-9]/g, '');
  if (wish === null || digits === '' || digits.length > 15) return 'reply';
  const to = `+${digits}`;
  const now = clock.now();
  const { hash, last2, country } = createDestination(crypto, to, id);
  return storage.transaction(async (tx) => {
    const changed =
      wish === 'stop'
        ? await stopNumber(tx, { hash, last2, country }, id, now)
        : await resumeNumber(tx, crypto.macs('message', to));
    if (!changed) return 'replayed';
    const name = wish === 'stop' ? 'number.stopped' : 'number.resumed';
    await audit.record(tx, now, [{ name, data: { provider: id, country, last2 } }]);
    return wish;
  });
}
