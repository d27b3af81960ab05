import type { Rider } from '../storage/index.ts';
import type { Db, Tx } from '../storage/types.ts';

export type Channel = 'sms' | 'voice' | 'email';

/** What is known about a message that was tried. */
export type Outcome =
  | { status: 'accepted'; gatewayId: string | null }
  /** It will never go: bad number, blocked. No other provider is tried. */
  | { status: 'rejected'; reason: string }
  /** It was surely not accepted; another provider may take it. */
  | { status: 'unavailable'; reason: string }
  /** It may have been sent. Never sent again by itself. */
  | { status: 'unknown'; reason: string };

/** A message ready to go out, whole and in clear; lives in memory only. */
export interface OutgoingMessage {
  id: string;
  channel: Channel;
  /** E.164, or an address. */
  to: string;
  /** The whole text, the code in it. */
  text: string;
  /** The code alone, where the message carries one. */
  code: string | null;
  locale: string;
  app: { id: string; name: string } | null;
  user: { id: string; attributes: Record<string, unknown> } | null;
}

export interface NewMessage {
  channel: Channel;
  /** `login-code`, `enrol-code`, … */
  purpose: string;
  /** The sender's own handle (an otp code id); handed to the outcome listener. */
  reference: string;
  to: string;
  text: string;
  code: string | null;
  locale: string;
  app: { id: string; name: string } | null;
  user: { id: string; attributes: Record<string, unknown> } | null;
  loginId: string | null;
  /** After this moment it is pointless: nobody picks it up any more. */
  freshUntil: Date;
}

/** Says what else is written with the outcome of a message, whichever instance sent it. */
export type OutcomeListener = (
  db: Db,
  message: { id: string; reference: string; purpose: string },
  outcome: Outcome,
  now: Date,
) => Rider[];

export interface Delivery {
  /** True when a provider of the channel is configured and enabled. */
  has(channel: Channel): boolean;
  /** Writes the message as `queued`, text and number sealed. In the transaction that decides to send it. */
  queue(tx: Tx, message: NewMessage, now: Date): Promise<OutgoingMessage>;
  /** The same as parts of another statement of that transaction. */
  draft(db: Db, message: NewMessage, now: Date): { message: OutgoingMessage; riders: Rider[] };
  /** After the commit: claims, sends, records together with what the listeners say. Never throws for a failing gateway. */
  send(message: OutgoingMessage): Promise<Outcome>;
  /** The state of the newest message with this reference, for pages. */
  state(db: Db, reference: string): Promise<MessageState | null>;
  onOutcome(listener: OutcomeListener): void;
  /** Picks up `queued` ones that nobody sent while fresh, and turns stale `sending` ones into `unknown`. */
  recover(now: Date): Promise<void>;
  close(): Promise<void>;
}

export type MessageState =
  | 'queued'
  | 'sending'
  | 'accepted'
  | 'rejected'
  | 'unavailable'
  | 'unknown'
  | 'delivered'
  | 'failed';

/** How a destination may be shown and kept outside `users`. */
export interface Destination {
  sealed: string;
  hash: string;
  last2: string;
  country: string | null;
}
