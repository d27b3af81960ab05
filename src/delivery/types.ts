import type { RawBuilder } from 'kysely';
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
  /** Of a mail. */
  subject?: string | null;
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
  /** What it says on the channels that follow. */
  words: Partial<Record<Channel, Words>>;
}

export interface FollowUp {
  channel: Channel;
  via: EntryDocument[] | null;
  /** How long the message before has to be reported as… */
  afterMs: number;
  unless: 'delivered' | 'read';
}

/** What a message says. */
export interface Words {
  text: string;
  /** Of a mail; null: the provider's own. */
  subject: string | null;
}

/** What a message with a code is about. */
export interface WordsRequest {
  channel: Channel;
  /** `login-code`, `enrol-code`, … */
  purpose: string;
  app: { id: string; name: string } | null;
  locale: string;
  code: string;
  /** How long it can be used. */
  minutes: number;
  /** What the message says where the configuration says nothing. */
  otherwise: Words;
}

export interface NewMessage {
  channel: Channel;
  /** `login-code`, `enrol-code`, … */
  purpose: string;
  /** The sender's own handle (an otp code id); handed to the outcome listener. */
  reference: string;
  to: string;
  text: string;
  /** Of a mail. */
  subject?: string | null;
  /** What it says on another channel, where a message follows by one. Default: the same. */
  words?: (channel: Channel) => Words;
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

/** A code that a gateway made itself, as its message is known. */
export interface CodeKept {
  message: string;
  provider: string;
  /** Of the recipient, bound to the message. */
  sealed: string;
}

/** Codes of one reference that are kept by gateways. */
export interface KeptElsewhere {
  /** The newest first. */
  by: CodeKept[];
  /** True when a message with our own code went out, too. */
  ours: boolean;
}

/** `unchecked`: it could not be asked, or its answer was not understood. Never passes. */
export type KeptAnswer = { is: 'right'; message: string } | { is: 'wrong' | 'gone' | 'unchecked' };

export interface Delivery {
  /** True when a provider of the channel is configured and enabled. `texts`: one that sends what is no code, too. */
  has(channel: Channel, what?: 'codes' | 'texts'): boolean;
  /** What a message with a code says, as the configuration has it at this moment. */
  words(request: WordsRequest): Words;
  /** Writes the message as `queued`, text and number sealed. In the transaction that decides to send it. */
  queue(tx: Tx, message: NewMessage, now: Date): Promise<OutgoingMessage>;
  /** The same as parts of another statement of that transaction. */
  draft(db: Db, message: NewMessage, now: Date): { message: OutgoingMessage; riders: Rider[] };
  /** After the commit: claims, sends, records together with what the listeners say. Never throws for a failing gateway. */
  send(message: OutgoingMessage): Promise<Outcome>;
  /** The state of the newest message with this reference, for pages. */
  state(db: Db, reference: string): Promise<MessageState | null>;
  /** The same as a value of a select. */
  stateValue(reference: RawBuilder<string | null>): RawBuilder<MessageState | null>;
  onOutcome(listener: OutcomeListener): void;
  /** Asked before a follow-up goes out; one that says no is enough. */
  onFollowUp(wanted: StillWanted): void;
  /** What this message carried was used: its number is somebody's who reads. Goes with what it was used for. */
  verifying(reference: string, now: Date): Rider;
  /** Who keeps the code of the messages with this reference instead of us, as a value of a select. Null: nobody. */
  keptElsewhere(reference: RawBuilder<string>): RawBuilder<KeptElsewhere | null>;
  /**
   * Asks gateways whether this is the code that they keep, within 8 s. Only after a try was spent and committed, and
   * outside of any transaction. Never throws for a failing gateway.
   */
  checkKept(kept: CodeKept[], typed: string): Promise<KeptAnswer>;
  /** True when a provider of the channel makes its codes itself. */
  keepsCodes(channel: Channel): boolean;
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
