import type { Dispatcher } from 'undici';
import type { Crypto } from '../crypto/types.ts';
import type { TSchema } from '../lib/schema.ts';
import type { Db } from '../storage/types.ts';
import type { ReceiptReader } from './receipts/contract.ts';
import type { Channel, Outcome, OutgoingMessage } from './types.ts';

/** A provider as its document says, references unresolved. The options of its preset stand under the preset's id. */
export interface ProviderDocument {
  id: string;
  channel: Channel;
  preset: string;
  enabled?: boolean;
  /** The sender that messages carry: `$ctx.from`. */
  from?: string;
  /** Sealed members, `$secret.<name>` in templates. */
  secrets?: Record<string, string>;
  /** PEM. `ca` is trusted beside the system's roots. */
  tls?: { ca?: string; cert?: string; key?: string };
  [preset: string]: unknown;
}

/** A message on its way out, with what only its provider knows. */
export interface Dispatch extends OutgoingMessage {
  from: string | null;
  /** Where the gateway may report what became of the message. */
  callback: string;
}

/** A provider's document while its preset reads it: once when it is checked, once when it is loaded. */
export interface ProviderDraft {
  document: ProviderDocument;
  /** What a string with references stands for. One that is not set stays as it is: it was reported with the document. */
  resolve(written: string): string;
  /** Reports what is wrong; `path` within the provider, for instance `http.payload`. */
  fault(path: string, message: string): void;
}

/** What goes over the wire. Header names keep their case; values are text, sent as UTF-8. */
export interface GatewayRequest {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH';
  /** Path and query. */
  path: string;
  headers: [name: string, value: string][];
  /** Null: none. */
  body: string | null;
}

export interface GatewayAnswer {
  status: number;
  /** Names in lower case. */
  headers: Record<string, string>;
  /** What came of the body, at most 64 KiB. */
  body: string;
  /** False when the body was cut. */
  complete: boolean;
}

/** How to reach a gateway. */
export interface Transport {
  /** Scheme, host and port. */
  origin: string;
  /** For the whole exchange. */
  timeoutMs: number;
  allowPrivateNetwork: boolean;
  proxy: string | null;
  /** Another origin that gets secrets of the provider: where its tokens come from, or conversions are reported. */
  tokenOrigin?: string | null;
  /** Values that may stand in no log and no recorded reason. */
  secrets: string[];
}

/** What may be used to authorize one request. */
export interface AuthorizeMeans {
  /** The provider's own way out, under its rules of addresses. */
  dispatcher: Dispatcher;
  now: Date;
  /** What is left of the time for this message. */
  timeoutMs: number;
}

/** A request as it goes out, and what in it may stand in no log beside the provider's own secrets. */
export interface AuthorizedRequest {
  request: GatewayRequest;
  secrets: string[];
}

/** Adds to each request what a fixed header cannot say: a fetched token, a signature. */
export interface Authorizer {
  /** Throws `AuthorizationFailed` when there is none to be had: nothing has gone to the gateway then. */
  authorize(request: GatewayRequest, message: Dispatch, means: AuthorizeMeans): Promise<AuthorizedRequest>;
  /** The request with a mask in place of what would be fetched or signed. */
  preview(request: GatewayRequest): GatewayRequest;
  /** Forgets what the gateway refused with 401. Absent: the same would be sent again. */
  refused?(authorized: AuthorizedRequest): void;
}

/** What a gateway that keeps a code says of a typed one. */
export type Verdict =
  | { is: 'right' }
  | { is: 'wrong' }
  /** No code can be right any more: run out, used up, or tried too often. */
  | { is: 'gone' }
  /** Nobody knows, so it must not pass. `rejected`: this question, which says nothing about the gateway. */
  | { is: 'unchecked'; status: 'rejected' | 'unavailable' | 'unknown'; reason: string };

/** A gateway that makes the codes itself: only there can be asked whether a typed one is right. */
export interface CodeKeeper<Prepared> {
  /** False where the provider is told to send our codes. */
  keeps(prepared: Prepared): boolean;
  /** Two providers that answer the same here have the same code for the same recipient. */
  place(prepared: Prepared): string;
  /** Must not be asked twice about the same try: the gateway counts, too. Null: this cannot be a code of its. */
  question(asked: { to: string; typed: string }, prepared: Prepared): GatewayRequest | null;
  verdict(answer: GatewayAnswer, prepared: Prepared): Verdict;
}

/** A message whose code was used. */
export interface Converted {
  gatewayId: string;
  at: Date;
}

/** A gateway that wants to hear that what a message carried was used; it looks for better ways by it. */
export interface ConversionReporter<Prepared> {
  wanted(prepared: Prepared): boolean;
  /** Scheme, host and port. */
  origin(prepared: Prepared): string;
  /** May go out more than once. */
  report(converted: Converted, prepared: Prepared): GatewayRequest;
}

interface PresetBase {
  id: string;
  channels: readonly Channel[];
  /** The gateway takes codes, and no text of ours: other messages are not for it. */
  codesOnly?: boolean;
  /** Schema of the member named after the preset. */
  options: TSchema;
  /** The options with every literal secret replaced by `${stored}`. */
  hide?(options: Record<string, unknown>): Record<string, unknown>;
}

/** What a preset may use beside its options. */
export interface Tools {
  db: Db;
  crypto: Crypto;
  now: Date;
}

/** A gateway that is spoken to by one HTTP request for each message. */
export interface HttpPreset<Prepared = unknown> extends PresetBase {
  /** Reads the options once; what it answers is used only when it reported no fault. */
  prepare(draft: ProviderDraft): Prepared | null;
  transport(prepared: Prepared): Transport;
  /** Throws when the message cannot be written for this gateway: nothing was sent then. */
  request(message: Dispatch, prepared: Prepared, tools: Tools): GatewayRequest | Promise<GatewayRequest>;
  /** Absent or null: `request` says everything. */
  authorizer?(prepared: Prepared): Authorizer | null;
  /** True when status and headers say enough, so that nobody waits for the body. Asked with an empty body. */
  settled(head: GatewayAnswer, prepared: Prepared): boolean;
  outcome(answer: GatewayAnswer, prepared: Prepared): Outcome;
  /** How the gateway's reports are read. Absent: it reports nothing. */
  receipts?: ReceiptReader<Prepared>;
  /** Absent: every code is ours. */
  keeper?: CodeKeeper<Prepared>;
  /** Absent: it does not want to hear. */
  conversions?: ConversionReporter<Prepared>;
}

/** A way out that is not HTTP. */
export interface DirectPreset<Prepared = unknown> extends PresetBase {
  /** Absent where there is nothing to read. */
  prepare?(draft: ProviderDraft): Prepared | null;
  /** Where its secrets are meant for, and how it is reached; absent where nothing leaves the machine. */
  transport?(prepared: Prepared): Transport;
  /** Within `timeoutMs`. `prepared` is null without {@link DirectPreset.prepare}. */
  send(message: Dispatch, tools: Tools, prepared: Prepared | null, timeoutMs: number): Promise<Outcome>;
}

export type Preset = HttpPreset | DirectPreset;

export const isHttp = (preset: Preset): preset is HttpPreset => 'request' in preset;
