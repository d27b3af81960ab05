import { parseDuration } from '../../lib/duration.ts';
import type { Fault } from '../../lib/problem.ts';
import { type Authorization, readAuth } from '../auth/read.ts';
import type { Authorizer, GatewayRequest, ProviderDraft, Transport } from '../preset.ts';
import { type PreparedReceipts, readReceipts } from '../receipts/http.ts';
import { type HeaderTemplate, readHeaders } from '../template/headers.ts';
import type { PayloadType } from '../template/payload.ts';
import { compileHeader, compilePayload, guessType, mediaTypes, payloadTypeOf } from '../template/payload.ts';
import type { Piece } from '../template/template.ts';
import { compileUrl } from '../template/url.ts';
import { credentialsIn, isSecretName } from './hide.ts';
import { type Judge, readJudge } from './judge.ts';
import type { HttpDocument } from './options.ts';
import { createReader, type TemplateReader } from './reader.ts';

/** A provider of preset `http`, read and compiled. */
export interface PreparedHttp {
  method: GatewayRequest['method'];
  path: Piece[];
  headers: Header[];
  body: Piece[] | null;
  judge: Judge;
  /** Null: it reports nothing. */
  receipts: PreparedReceipts | null;
  /** Null: the headers say who asks. */
  authorizer: Authorizer | null;
  transport: Transport;
}

interface Header {
  name: string;
  value: Piece[];
}

const DEFAULT_TIMEOUT_MS = 10_000;
const methods = ['GET', 'POST', 'PUT', 'PATCH'] as const;

/** Reads and compiles the document. What is wrong is reported with its path, all of it at once. */
export function prepareHttp(draft: ProviderDraft): PreparedHttp | null {
  const document = draft.document.http as HttpDocument | undefined;
  if (document === undefined) {
    draft.fault('http', 'is missing');
    return null;
  }
  // What a reference names may be empty here: a proof by such a secret would be anybody's.
  for (const [name, written] of Object.entries(draft.document.secrets ?? {})) {
    if (draft.resolve(written) === '') draft.fault(`secrets.${name}`, 'is empty');
  }
  const reader = createReader(draft);
  const method = readMethod(document, draft);
  const url = reader.readWhole('http.url', document.url.trim(), (nodes, faults) =>
    compileUrl(nodes, reader.constants, faults),
  );
  const templates = readHeaderTemplates(document, draft);
  const headers = templates.flatMap((template) => readHeader(template, reader));
  const payload = readPayload(document, templates, reader, draft);
  if (payload !== null) {
    if (method === 'GET') draft.fault('http.payload', 'GET sends no payload');
    if (!names(headers).includes('content-type')) {
      headers.push({ name: 'Content-Type', value: [mediaTypes[payload.type]] });
    }
  }
  if (url !== null && url.authorization !== null) {
    if (names(headers).includes('authorization')) {
      draft.fault('http.url', 'holds user information beside an Authorization header: keep one of them');
    }
    headers.push({ name: 'Authorization', value: [url.authorization] });
  }
  const auth = readAuth(document.auth, reader, draft);
  headers.push(...authHeader(auth, names(headers), draft));
  if (document.auth?.hmac && payload === null) draft.fault('http.auth.hmac', 'there is no payload to sign');
  const judge = readJudge(document, draft.fault);
  const receipts = readReceipts(document.receipts, draft);
  const transport = readTransport(document, url?.origin ?? '', draft);
  transport.tokenOrigin = auth.tokenOrigin;
  if (url === null || method === null) return null;
  transport.secrets.push(...reader.secrets, ...literalSecrets(headers));
  for (const template of [document.url, document.payload ?? ''])
    transport.secrets.push(...credentialsIn(draft.resolve(template)));
  const { authorizer } = auth;
  return {
    method,
    path: url.path,
    headers,
    body: payload?.pieces ?? null,
    judge,
    receipts,
    authorizer,
    transport,
  };
}

/** What `auth` adds to the headers; one that stands there already would be sent twice. */
function authHeader({ header, writes }: Authorization, present: string[], draft: ProviderDraft): Header[] {
  if (writes !== null && present.includes(writes))
    draft.fault('http.auth', `writes the header ${writes}, and the provider has one already`);
  return header === null ? [] : [{ name: header.name, value: [header.value] }];
}

const names = (headers: Header[]): string[] => headers.map(({ name }) => name.toLowerCase());

function readMethod(document: HttpDocument, draft: ProviderDraft): PreparedHttp['method'] | null {
  const written = draft.resolve(document.method ?? 'POST').trim();
  const method = methods.find((one) => one === written.toUpperCase());
  if (method === undefined)
    draft.fault('http.method', `“${written}” cannot be used: GET, POST, PUT or PATCH`);
  return method ?? null;
}

function readHeaderTemplates(document: HttpDocument, draft: ProviderDraft): HeaderTemplate[] {
  const faults: Fault[] = [];
  const templates = readHeaders(document.headers ?? {}, faults);
  for (const { path, message } of faults) draft.fault(`http.${path}`, message);
  return templates;
}

/** A reference is a value here, also one that stands alone: a token may hold a dollar sign. */
function readHeader({ name, value, path }: HeaderTemplate, reader: TemplateReader): Header[] {
  const pieces = reader.read(`http.${path}`, value, (nodes, faults) =>
    compileHeader(nodes, reader.constants, faults),
  );
  return pieces === null ? [] : [{ name, value: pieces }];
}

function readPayload(
  document: HttpDocument,
  headers: HeaderTemplate[],
  reader: TemplateReader,
  draft: ProviderDraft,
): { type: PayloadType; pieces: Piece[] } | null {
  if (document.payload === undefined || document.payload === '') return null;
  const header = headers.find(({ name }) => name.toLowerCase() === 'content-type');
  const byHeader = header && payloadTypeOf(draft.resolve(header.value));
  const { contentType } = document;
  if (byHeader !== undefined && contentType !== undefined && byHeader !== contentType) {
    draft.fault('http.contentType', `says ${contentType}, and the header Content-Type says ${header?.value}`);
  }
  return reader.readWhole('http.payload', document.payload, (nodes, faults) => {
    const type = contentType ?? byHeader ?? guessType(nodes);
    return { type, pieces: compilePayload(nodes, type, reader.constants, faults) };
  });
}

function readTransport(document: HttpDocument, origin: string, draft: ProviderDraft): Transport {
  const proxy = document.proxy === undefined ? null : draft.resolve(document.proxy).trim();
  if (proxy !== null && !/^https?:$/.test(URL.parse(proxy)?.protocol ?? '')) {
    draft.fault('http.proxy', 'must be the http:// or https:// URL of a proxy');
  }
  return {
    origin,
    timeoutMs: document.timeout === undefined ? DEFAULT_TIMEOUT_MS : readTimeout(document.timeout, draft),
    // A reference may have said so, and then it is text.
    allowPrivateNetwork: draft.resolve(String(document.allowPrivateNetwork ?? false)) === 'true',
    proxy,
    secrets: proxy === null ? [] : [decodeURIComponent(URL.parse(proxy)?.password ?? '')],
  };
}

function readTimeout(written: string, draft: ProviderDraft): number {
  const ms = parseDuration(draft.resolve(written));
  if (ms < 1_000 || ms > 60_000) draft.fault('http.timeout', 'must be between 1s and 60s');
  return ms;
}

/** What is written out in headers that carry credentials: the whole value, what follows the scheme, a Basic pair. */
function literalSecrets(headers: Header[]): string[] {
  const values = headers
    .filter(({ name }) => isSecretName(name))
    .flatMap(({ value }) => value.filter((piece) => typeof piece === 'string'));
  return values.flatMap((value) => {
    const [scheme = '', ...rest] = value.trim().split(/\s+/);
    const pair = /^basic$/i.test(scheme) ? Buffer.from(rest.join(''), 'base64').toString('utf8') : '';
    return [value.trim(), ...rest, pair, pair.slice(pair.indexOf(':') + 1)];
  });
}
