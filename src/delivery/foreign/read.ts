import type { AuthDocument } from '../auth/options.ts';
import { isVonageSms, retiredTwilioPath, vonageSuccess } from '../lint/addresses.ts';
import { error, type Finding, warning } from '../lint/finding.ts';
import { paddedInJson } from '../lint/payload.ts';
import type { ProviderDocument } from '../preset.ts';
import { readHeaders } from '../template/headers.ts';
import { liftedProperties, readAuthentication } from './authentication.ts';
import { flatten } from './members.ts';

/*
 * How identity servers write down an SMS gateway: an older form (sms_url, http_method, headers, payload, http_response)
 * and a newer one (providerURL, contentType, body, http.method, http.headers, authentication).
 */

/** A document of another program as one of ours; what was mended in it, and what it says that nobody can read. */
export interface Adopted {
  document: ProviderDocument;
  findings: Finding[];
}

/** Members that are ours in either form. */
const kept = ['id', 'channel', 'enabled', 'from', 'tls'];
const older = ['smsurl', 'httpmethod', 'headers', 'payload', 'httpresponse'];
const newer = [
  ...['providerurl', 'contenttype', 'body', 'payload', 'httpmethod', 'httpheaders', 'httpresponse'],
  ...['authentication', 'name', 'provider', 'sender', 'key', 'secret'],
];

/** Null: the document is none of theirs. */
export function readForeign(written: Record<string, unknown>): Adopted | null {
  if (written.preset !== undefined) return null;
  const members = flatten(written);
  const form = members.has('providerurl') ? newer : members.has('smsurl') ? older : null;
  if (form === null) return null;
  const findings: Finding[] = [];
  const lifted = typeof members.get('authentication')?.value === 'string' ? liftedProperties : [];
  for (const [name, { written: spelt }] of members) {
    if (form.includes(name) || kept.includes(name) || lifted.includes(name)) continue;
    findings.push(
      error(spelt, 'is unknown in this form', 'leave it out, or write the provider in our own form'),
    );
  }
  const text = (name: string): string => textOf(members.get(name)?.value);
  const isNewer = form === newer;
  const { auth, secrets } = readAuthentication(members, findings);
  const own = { key: text('key'), secret: text('secret') };
  const sealed = Object.fromEntries([...Object.entries(own).filter(([, value]) => value !== ''), ...secrets]);
  const sender = text('sender');
  const document: ProviderDocument = {
    id: idOf(written, text('name')),
    channel: (written.channel ?? 'sms') as ProviderDocument['channel'],
    preset: 'http',
    ...(written.enabled !== undefined && { enabled: written.enabled as boolean }),
    ...(sender !== '' && { from: sender }),
    ...(written.from !== undefined && { from: written.from as string }),
    ...(Object.keys(sealed).length > 0 && { secrets: sealed }),
    ...(written.tls !== undefined && { tls: written.tls as NonNullable<ProviderDocument['tls']> }),
    http: isNewer ? readNewer(members, auth, findings) : readOlder(members, auth, findings),
  };
  return { document, findings };
}

type Flat = ReturnType<typeof flatten>;

function textOf(value: unknown): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'object' ? JSON.stringify(value) : String(value).trim();
}

const idOf = (written: Record<string, unknown>, name: string): string =>
  String(written.id ?? (name.replace(/[^A-Za-z0-9_.-]+/g, '-').replace(/^[^A-Za-z0-9]+/, '') || 'imported'));

function readOlder(members: Flat, auth: AuthDocument | null, findings: Finding[]): object {
  const text = (name: string) => textOf(members.get(name)?.value);
  return common(
    {
      url: text('smsurl'),
      method: text('httpmethod'),
      payload: text('payload'),
      status: text('httpresponse'),
    },
    { headers: members.get('headers')?.value, contentType: undefined, auth },
    findings,
  );
}

function readNewer(members: Flat, auth: AuthDocument | null, findings: Finding[]): object {
  const text = (name: string) => textOf(members.get(name)?.value);
  const headers = members.get('httpheaders')?.value;
  const named = text('contenttype').toUpperCase();
  const hasType = readHeaders(asHeaders(headers) ?? {}, []).some(
    ({ name }) => name.toLowerCase() === 'content-type',
  );
  const payload = text('body') || text('payload');
  return common(
    { url: text('providerurl'), method: text('httpmethod'), payload, status: text('httpresponse') },
    // What names no type is JSON in this form.
    { headers, contentType: named || (hasType || payload === '' ? undefined : 'JSON'), auth },
    findings,
  );
}

type HeadersGiven = string | Record<string, string> | undefined;

function asHeaders(value: unknown): HeadersGiven {
  if (typeof value === 'string') return value.trim() === '' ? undefined : value;
  return typeof value === 'object' && value !== null ? (value as Record<string, string>) : undefined;
}

function common(
  given: { url: string; method: string; payload: string; status: string },
  more: { headers: unknown; contentType: string | undefined; auth: AuthDocument | null },
  findings: Finding[],
): object {
  const url = mendUrl(given.url, findings);
  const payload = mendPayload(given.payload, findings);
  const headers = asHeaders(more.headers);
  const status = given.status === '' ? [] : given.status.split(/[\s,]+/).map(statusOf);
  const success = {
    ...(status.length > 0 && { status }),
    ...(isVonageSms(url) && { body: { ...vonageSuccess } }),
  };
  if (isVonageSms(url)) {
    const message = 'the vendor answers 200 to everything';
    findings.push(warning('http.success', message, 'mended: the status in the body is looked at too'));
  }
  return {
    method: given.method === '' ? 'POST' : given.method.toUpperCase(),
    url,
    ...(headers !== undefined && { headers }),
    ...(more.contentType !== undefined && { contentType: more.contentType }),
    ...(payload !== '' && { payload }),
    ...(more.auth !== null && { auth: more.auth }),
    ...(Object.keys(success).length > 0 && { success }),
  };
}

const statusOf = (written: string): number | string => (/^\d+$/.test(written) ? Number(written) : written);

function mendUrl(url: string, findings: Finding[]): string {
  const mended = url.replace(retiredTwilioPath, '$1/Messages');
  if (mended !== url) {
    const message = 'the path /SMS/Messages is not in the vendor’s API any more';
    findings.push(warning('http.url', message, 'mended: it is /Messages now'));
  }
  return mended;
}

function mendPayload(payload: string, findings: Finding[]): string {
  if (!/^\s*[[{]/.test(payload)) return payload;
  const mended = payload.replace(paddedInJson, (_, _before, placeholder: string) => `"${placeholder}"`);
  if (mended !== payload) {
    const message = 'had blanks around a placeholder';
    findings.push(
      warning('http.payload', message, 'mended: they are gone, because gateways refuse such numbers'),
    );
  }
  return mended;
}
