import { pointed } from '../http/json-pointer.ts';
import type { Call, FailureClass, Receipt, ReceiptReader, ReceiptState } from '../receipts/contract.ts';
import { textAt } from './answers.ts';

/** What a vendor's word for a state means; a failure with its class. */
export type States = Record<string, Exclude<ReceiptState, 'failed'> | FailureClass>;

/** One report as a vendor writes it. */
interface Reported {
  gatewayId: string | null;
  state: string | null;
}

/**
 * Reads reports of a vendor that signs nothing (or whose signature needs a secret that nobody gave): they are believed
 * when they come to the address that was made for the message.
 */
export const unsignedReceipts = (
  states: States,
  read: (call: Call) => Reported[],
): ReceiptReader<unknown> => ({
  signed: () => null,
  receipts: (call) =>
    read(call).flatMap(({ gatewayId, state }): Receipt[] => {
      const meaning = state !== null && Object.hasOwn(states, state) ? states[state] : undefined;
      if (meaning === undefined) return [];
      const arrived = meaning === 'sent' || meaning === 'delivered' || meaning === 'read';
      const told = arrived
        ? { state: meaning, failure: null }
        : { state: 'failed' as const, failure: meaning };
      return [{ messageId: null, gatewayId, ...told }];
    }),
});

/** By names in the address where the vendor calls by GET, else in the body. */
export const reportIn =
  (idName: string, stateName: string) =>
  ({ method, query, content }: Call): Reported[] => {
    const members = method === 'GET' ? query : content;
    return [{ gatewayId: textAt(members, `/${idName}`), state: textAt(members, `/${stateName}`) }];
  };

/** Several in one call, below a member. */
export const reportsBelow =
  (member: string, idName: string, statePointer: string) =>
  ({ content }: Call): Reported[] => {
    const all = pointed(content, `/${member}`);
    if (!Array.isArray(all)) return [];
    return all.map((one) => ({ gatewayId: textAt(one, `/${idName}`), state: textAt(one, statePointer) }));
  };
