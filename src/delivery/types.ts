import type { Rider } from '../storage/index.ts';
import type { Db, Tx } from '../storage/types.ts';
import type { EntryDocument } from './routing/document.ts';

export type Channel = 'sms' | 'voice' | 'email';

/** What is known about a message that was tried. */
export type Outcome =
  | { status: 'accepted'; gatewayId: string | null }
  /** It will never go: bad number, blocked. No other provider is tried. */
  | { status: 'rejected'; reason: string }
  /** It was surely not accepted; another provider may take it. */
  | {
      status: 'unavailable';
      reason: string;
      /** How long the gateway has asked to be left alone. */
      retryAfterMs?: number;
    }
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
  /** Of a channel whose workflow says how a message goes on that does not arrive. */
  chain?: Chain;
}

/** A message that is not left alone when it does not arrive. */
export interface Chain {
  /** Whom to ask instead of whom the channel says. */
  via: EntryDocument[] | null;
  /** What goes out next, one after the other, as long as none arrives. */
  next: FollowUp[];
  /** The text for channels on which nobody reads it with a browser. */
  plain: string;
}

export interface FollowUp {
  channel: Channel;
  via: EntryDocument[] | null;
  /** How long the message before has to be reported as… */
  afterMs: number;
  unless: 'delivered' | 'read';
}

export interface NewMessage {
  channel: Channel;
  /** `login-code`, `enrol-code`, … */
  purpose: string;
  /** The sender's own handle (an otp code id); handed to the outcome listener. */
  reference: string;
  to: string;
  text: string;
  /** The same without what only the browser of a phone reads, for a call that follows an SMS. Default: `text`. */
  plain?: string;
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

/** Whether a message that has not arrived is still worth another one: its code can be used, somebody waits for it. */
export type StillWanted = (
  db: Db,
  message: { reference: string; purpose: string; loginId: string | null },
  now: Date,
) => Promise<boolean>;

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
  /** Asked before a follow-up goes out; one that says no is enough. */
  onFollowUp(wanted: StillWanted): void;
  /** What this message carried was used: its number is somebody's who reads. Goes with what it was used for. */
  verifying(reference: string, now: Date): Rider;
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
  | 'failed'
  /** The number has asked for no more messages. */
  | 'stopped'
  /** Accepted, and spoken on the phone. */
  | 'calling';

/** How a destination may be shown and kept outside `users`. */
export interface Destination {
  sealed: string;
  hash: string;
  last2: string;
  country: string | null;
}
