import type { Crypto } from '../../crypto/types.ts';
import type { Guard } from '../../guard/types.ts';
import type { Logger } from '../../lib/log.ts';
import { sendRiders } from '../../storage/index.ts';
import type { Tx } from '../../storage/types.ts';
import type { Price } from './contract.ts';
import { notePrice, type ReportedRow } from './store.ts';

export interface PricesDeps {
  crypto: Crypto;
  log: Logger;
  /** Hears what messages have cost. */
  guard?: Pick<Guard, 'correctingSpend'>;
}

/** What a gateway may say: somebody else wrote it, and it moves a budget. */
const readable = ({ amount, currency }: Price): boolean =>
  /^\d{1,6}(?:\.\d{1,12})?$/.test(amount) && /^[A-Z]{3}$/.test(currency);

/** Writes down what a message has cost, once: gateways say it again with each further report. */
export async function takePrice(
  { crypto, guard, log }: PricesDeps,
  tx: Tx,
  { app_id: appId, channel, id, to_sealed }: ReportedRow,
  price: Price,
): Promise<void> {
  if (!readable(price)) return log.warn({ message: id }, 'the price in a receipt cannot be read');
  const at = await notePrice(tx, id, price);
  if (at === null || guard === undefined || to_sealed === null) return;
  const number = opened(crypto, to_sealed, id);
  if (number === null) return;
  const riders = guard.correctingSpend(tx, { number, appId, channel, at, ...price });
  if (riders.length > 0) await sendRiders(tx, riders);
}

/** Null when its key is gone. */
function opened(crypto: Crypto, sealed: string, id: string): string | null {
  try {
    return crypto.open('message', sealed, id);
  } catch {
    return null;
  }
}
