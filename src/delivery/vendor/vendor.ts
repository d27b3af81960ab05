import { stored } from '../../config/index.ts';
import { durationPattern, parseDuration } from '../../lib/duration.ts';
import { type Static, type TSchema, Type } from '../../lib/schema.ts';
import { credentialsIn, hideHttp } from '../http/hide.ts';
import type {
  Authorizer,
  CodeKeeper,
  ConversionReporter,
  Converted,
  Dispatch,
  GatewayAnswer,
  GatewayRequest,
  HttpPreset,
  ProviderDraft,
  Transport,
  Verdict,
} from '../preset.ts';
import type { ReceiptReader } from '../receipts/contract.ts';
import { hidden } from '../sealing.ts';
import type { Channel, Outcome } from '../types.ts';
import { parsed } from './answers.ts';
import { basicAuthorization } from './wire.ts';

/** What a vendor's API is like, for {@link vendorPreset}. */
export interface Vendor<Options> {
  id: string;
  channels: readonly Channel[];
  /** Schema of an object: the vendor's options by the vendor's own names. */
  options: TSchema;
  /** Those that nobody may see. */
  secrets: readonly (keyof Options & string)[];
  /** Scheme, host and port, unless `baseUrl` names others. */
  origin(options: Options): string;
  /** Reports what the schema cannot say about the options and the sender. */
  check?(options: Options, from: string | null, fault: (path: string, message: string) => void): void;
  /** Name and password, where the API takes Basic authorization. */
  basic?(options: Options): [user: string, password: string] | null;
  authorizer?(options: Options): Authorizer | null;
  /** `host`: as the header of this name is going to say it. */
  request(message: Dispatch, options: Options, at: { now: Date; host: string }): GatewayRequest;
  /** True when the answer's status alone says that it was taken, and nothing in the body is wanted. */
  settled?(status: number): boolean;
  /** `json`: what the body says; undefined when it is cut or no JSON. */
  outcome(answer: GatewayAnswer, json: unknown, options: Options): Outcome;
  receipts?: ReceiptReader<PreparedVendor<Options>>;
  /** As in {@link HttpPreset}. */
  codesOnly?: boolean;
  /** As {@link CodeKeeper}. */
  keeper?: {
    keeps(options: Options): boolean;
    place(options: Options): string;
    question(asked: { to: string; typed: string }, options: Options): GatewayRequest | null;
    verdict(answer: GatewayAnswer, json: unknown): Verdict;
  };
  /** As {@link ConversionReporter}. `origin` absent: where messages are sent to. */
  conversions?: {
    wanted(options: Options): boolean;
    origin?(options: Options): string;
    report(converted: Converted, options: Options): GatewayRequest;
  };
}

/** A vendor's options with every reference resolved, and how the vendor is reached. */
export interface PreparedVendor<Options> {
  options: Options;
  transport: Transport;
}

const DEFAULT_TIMEOUT_MS = 10_000;

/** A reference may have said so, and then it is text. */
export const isOn = (value: boolean | string | undefined): boolean => String(value) === 'true';

/** What every vendor can be told. */
const common = {
  baseUrl: Type.Optional(
    Type.String({
      pattern: '^https?://[^/?#@\\s]+/?$',
      description: 'Another host of the vendor, or one of yours that forwards: scheme, host and port',
    }),
  ),
  timeout: Type.Optional(
    Type.String({ pattern: durationPattern, description: 'For the whole exchange; 10s by default' }),
  ),
  allowPrivateNetwork: Type.Optional(
    Type.Boolean({ description: 'The host of baseUrl stands in a private network' }),
  ),
  proxy: Type.Optional(
    Type.String({ description: 'HTTP proxy; its own rules replace the check of addresses' }),
  ),
};

interface Common {
  baseUrl?: string;
  timeout?: string;
  allowPrivateNetwork?: boolean | string;
  proxy?: string;
}

/** The preset of a vendor whose messages are one HTTP request each. */
export function vendorPreset<Schema extends TSchema>(
  schema: Schema,
  vendor: Omit<Vendor<Static<Schema>>, 'options'>,
): HttpPreset<PreparedVendor<Static<Schema>>> {
  type Options = Static<Schema>;
  const { properties, ...rest } = schema as unknown as { properties: Record<string, TSchema> };
  const { authorizer, codesOnly = false, conversions, keeper, receipts, settled } = vendor;
  const { baseUrl, ...others } = common;
  // An address of its own leaves nothing for another host to mean.
  const shared = 'url' in properties ? others : { ...others, baseUrl };
  return {
    id: vendor.id,
    channels: vendor.channels,
    codesOnly,
    options: { ...rest, properties: { ...properties, ...shared }, additionalProperties: false } as TSchema,
    prepare: (draft) => prepare<Options>(vendor, properties, draft),
    transport: ({ transport }) => transport,
    request(message, { options, transport }, { now }) {
      const request = vendor.request(message, options, { now, host: new URL(transport.origin).host });
      const basic = vendor.basic?.(options);
      if (basic) request.headers.unshift(['Authorization', basicAuthorization(...basic)]);
      return request;
    },
    ...(authorizer && { authorizer: ({ options }) => authorizer(options) }),
    settled: ({ status }) => settled?.(status) ?? false,
    outcome: (answer, { options }) => vendor.outcome(answer, parsed(answer), options),
    ...(receipts && { receipts }),
    ...(keeper && { keeper: keeperOf(keeper) }),
    ...(conversions && { conversions: conversionsOf(conversions) }),
    // A proxy's password, or a token in an address, is hidden as in documents of the preset http.
    hide: (options) => hideMembers(hideHttp(options), vendor.secrets),
  };
}

const keeperOf = <Options>(
  keeper: NonNullable<Vendor<Options>['keeper']>,
): CodeKeeper<PreparedVendor<Options>> => ({
  keeps: ({ options }) => keeper.keeps(options),
  place: ({ options, transport }) => `${transport.origin} ${keeper.place(options)}`,
  question: (asked, { options }) => keeper.question(asked, options),
  verdict: (answer) => keeper.verdict(answer, parsed(answer)),
});

const conversionsOf = <Options>(
  conversions: NonNullable<Vendor<Options>['conversions']>,
): ConversionReporter<PreparedVendor<Options>> => ({
  wanted: ({ options }) => conversions.wanted(options),
  origin: ({ transport }) => transport.tokenOrigin ?? transport.origin,
  report: (converted, { options }) => conversions.report(converted, options),
});

/** The options with each secret among them replaced, unless it is only named by a reference. */
export const hideMembers = (
  options: Record<string, unknown>,
  secrets: readonly string[],
): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(options).map(([name, value]) => [name, secrets.includes(name) ? hidden(value) : value]),
  );

function prepare<Options>(
  vendor: Omit<Vendor<Options>, 'options'>,
  properties: Record<string, TSchema>,
  draft: ProviderDraft,
): PreparedVendor<Options> | null {
  const faults = { count: 0 };
  const fault = (path: string, message: string) => {
    faults.count++;
    draft.fault(path, message);
  };
  const read = readMembers(vendor.id, { ...draft, fault });
  if (read === null) return null;
  const options = read as Options;
  const own = (member: string, message: string) => {
    // On its way back, a secret that is kept stands here by a placeholder: it is looked at when it is in its place.
    if (read[member] !== stored) fault(member === 'from' ? member : `${vendor.id}.${member}`, message);
  };
  // What a reference names may be empty here, whoever has judged the document: anybody could sign with that.
  for (const name of vendor.secrets) {
    const least = (properties[name] as { minLength?: number } | undefined)?.minLength ?? 0;
    if (read[name] !== undefined && String(read[name]).length < least) own(name, 'is empty or too short');
  }
  const from = draft.document.from === undefined ? null : draft.resolve(draft.document.from);
  vendor.check?.(options, from, own);
  const transport = readTransport(read, () => vendor.origin(options), own);
  // A host of one's own that forwards gets the reports, too.
  if (vendor.conversions?.wanted(options) && read.baseUrl === undefined) {
    transport.tokenOrigin = vendor.conversions.origin?.(options) ?? null;
  }
  if (faults.count > 0) return null;
  const pair = vendor.basic?.(options);
  transport.secrets.push(
    ...vendor.secrets.flatMap((name) => String(read[name] ?? '')),
    ...(pair ? [pair.join(':')] : []),
    ...credentialsIn(String(read.url ?? '')),
  );
  return { options, transport };
}

/** Members of the preset with references resolved and blanks around them gone; null when they are missing. */
export function readMembers(id: string, draft: ProviderDraft): Record<string, unknown> | null {
  const document = draft.document[id] as Record<string, unknown> | undefined;
  if (document === undefined) {
    draft.fault(id, 'is missing');
    return null;
  }
  return Object.fromEntries(
    Object.entries(document).map(([name, written]) => {
      if (typeof written !== 'string') return [name, written];
      const value = draft.resolve(written).trim();
      // Most of them go into headers or the path. A key in PEM has line ends, and is only signed with.
      if (/\p{Cc}/u.test(value) && !value.startsWith('-----BEGIN ')) {
        draft.fault(`${id}.${name}`, 'holds a control character');
      }
      return [name, value];
    }),
  );
}

function readTransport(
  { baseUrl, timeout, allowPrivateNetwork, proxy = '' }: Common,
  vendorOrigin: () => string,
  fault: (member: string, message: string) => void,
): Transport {
  const written = baseUrl ?? vendorOrigin();
  const origin = URL.parse(written)?.origin ?? '';
  if (origin !== written.replace(/\/$/, '').replace(/:443$/, '').toLowerCase()) {
    fault(baseUrl === undefined ? 'region' : 'baseUrl', `“${written}” is no address of a host`);
  }
  if (proxy !== '' && !/^https?:$/.test(URL.parse(proxy)?.protocol ?? '')) {
    fault('proxy', 'must be the http:// or https:// URL of a proxy');
  }
  const timeoutMs = timeout === undefined ? DEFAULT_TIMEOUT_MS : parseDuration(timeout);
  if (timeoutMs < 1_000 || timeoutMs > 60_000) fault('timeout', 'must be between 1s and 60s');
  return {
    origin,
    timeoutMs,
    allowPrivateNetwork: isOn(allowPrivateNetwork),
    proxy: proxy === '' ? null : proxy,
    secrets: [decodeURIComponent(URL.parse(proxy)?.password ?? '')].filter((secret) => secret !== ''),
  };
}
