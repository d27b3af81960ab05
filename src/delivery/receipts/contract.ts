/** What a gateway reports of a message after it took it. Each says more than the one before. */
export type ReceiptState = 'sent' | 'failed' | 'delivered' | 'read';

/**
 * Why a message did not arrive: the number is none, its owner or an operator wants no messages, the phone was not
 * reached in time, or the gateway's way to it is broken.
 */
export type FailureClass = 'number' | 'blocked' | 'unreachable' | 'gateway';

/** A gateway's call, as it came. */
export interface Call {
  method: 'GET' | 'POST';
  /** The whole address as the gateway was given it: issuer, path and query. */
  url: string;
  query: Record<string, string>;
  /** Names in lower case. */
  headers: Record<string, string>;
  body: Buffer;
  /** What the body says: parsed JSON, or the members of a form as strings; an empty object when there is none. */
  content: unknown;
}

export interface Receipt {
  /** Our id of the message, where the signed part of the call names it. */
  messageId: string | null;
  /** The gateway's own. */
  gatewayId: string | null;
  state: ReceiptState;
  /** Of `failed`. */
  failure: FailureClass | null;
  /** What the gateway says it charges for what it reports on; absent or null when it does not say. */
  price?: Price | null;
}

/** As a gateway writes it. */
export interface Price {
  /** A decimal number, not negative: `0.0333`. */
  amount: string;
  /** ISO 4217: `EUR`. */
  currency: string;
}

/** What somebody wrote back. */
export interface Reply {
  /** The number in international form, with or without its plus sign. */
  from: string;
  text: string;
}

/** How a gateway's calls are read. `Prepared` as in its preset. */
export interface ReceiptReader<Prepared> {
  /**
   * Whether the gateway has signed the call: false is a forgery. Null when it signs nothing, because it cannot or because
   * the secret was not given; then only a receipt whose address carries our own signature is believed.
   */
  signed(call: Call, prepared: Prepared, now: Date): boolean | null | Promise<boolean | null>;
  /** Those that say something about a message; other events are left out. Never throws for what a gateway may send. */
  receipts(call: Call, prepared: Prepared): Receipt[];
  replies?(call: Call, prepared: Prepared): Reply[];
  /** What the gateway wants to hear when its call was taken, as JSON. Absent: nothing. */
  answer?(call: Call, now: Date): object;
}
