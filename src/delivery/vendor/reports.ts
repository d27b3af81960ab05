import { pointed } from '../http/json-pointer.ts';
import type {
  Call,
  FailureClass,
  Price,
  Receipt,
  ReceiptReader,
  ReceiptState,
  Reply,
} from '../receipts/contract.ts';
import { textAt } from './answers.ts';
import type { PreparedVendor } from './vendor.ts';

/** What a vendor's word for a state means; a failure with its class. */
type Meaning = Exclude<ReceiptState, 'failed'> | FailureClass;

/** One report as a vendor writes it. */
interface Reported {
  messageId?: string | null;
  gatewayId: string | null;
  state: string | null;
  /** The vendor's code or word for the reason, where it has one beside the state. */
  reason?: string | null;
  price?: Price | null;
}

/** How a vendor reports, for {@link vendorReceipts}. */
interface Reports<Options> {
  states: Record<string, Meaning>;
  /** By the reason; a failure whose reason stands here is what it says, whatever the state would mean. */
  reasons?: Record<string, FailureClass>;
  /** One member of `pick`, or the whole of what the vendor sent. */
  read(report: unknown): Reported;
  /** Where several stand in one call: what `read` gets. */
  pick?(call: Call): unknown[];
  /**
   * Null when nothing was agreed: then a report is believed that comes to the address made for its message. Default: the
   * vendor has no way to prove itself.
   */
  proven?(call: Call, options: Options, now: Date): boolean | null | Promise<boolean | null>;
  reply?(message: unknown): { from: string | null; text: string | null };
}

const own = <T>(map: Record<string, T> | undefined, key: string | null | undefined): T | undefined =>
  map !== undefined && typeof key === 'string' && Object.hasOwn(map, key) ? map[key] : undefined;

/** What the call says: in its address where the vendor calls by GET, else in the body. */
const said = ({ method, query, content }: Call): unknown[] => [method === 'GET' ? query : content];

/** Several in one call, in an array at a JSON Pointer; none when nothing of the kind stands there. */
export const allAt =
  (pointer: string) =>
  ({ content }: Call): unknown[] => {
    const all = pointed(content, pointer);
    return Array.isArray(all) ? all : [];
  };

/** Reads what a vendor reports of messages, and what people wrote back. */
export function vendorReceipts<Options>({
  pick = said,
  proven,
  read,
  reasons,
  reply,
  states,
}: Reports<Options>): ReceiptReader<PreparedVendor<Options>> {
  const receiptOf = (report: unknown): Receipt[] => {
    const { gatewayId, messageId = null, price = null, reason, state } = read(report);
    const word = own(states, state);
    if (word === undefined) return [];
    const known = { messageId, gatewayId, ...(price && { price }) };
    if (word === 'sent' || word === 'delivered' || word === 'read') {
      return [{ ...known, state: word, failure: null }];
    }
    return [{ ...known, state: 'failed', failure: own(reasons, reason) ?? word }];
  };
  return {
    signed: (call, { options }, now) => proven?.(call, options, now) ?? null,
    receipts: (call) => pick(call).flatMap(receiptOf),
    ...(reply && {
      replies: (call: Call) =>
        pick(call).flatMap((message): Reply[] => {
          const { from, text } = reply(message);
          return from === null || text === null ? [] : [{ from, text }];
        }),
    }),
  };
}

/** Null for what is no amount of money in a currency. */
export function priceOf(amount: string | null, currency: string | null): Price | null {
  const known = amount !== null && currency !== null;
  return known && /^\d{1,9}(\.\d{1,12})?$/.test(amount) && /^[A-Z]{3}$/.test(currency)
    ? { amount, currency }
    : null;
}

/** A price at JSON Pointers. */
export const priceAt = (report: unknown, amount: string, currency: string): Price | null =>
  priceOf(textAt(report, amount), textAt(report, currency));
