import { createHash, createHmac } from 'node:crypto';
import { Type } from '../../lib/schema.ts';
import { secretsMatch } from '../../lib/secrets.ts';
import type { Call } from '../receipts/contract.ts';

/*
 * How vendors prove that a report is theirs. Each says whether this call is proved; whether a proof was agreed at all is
 * the preset's to know.
 */

/** RFC 7617: a name and a password that the vendor was told with the address. */
function provenByPassword({ headers }: Call, user: string, password: string): boolean {
  const encoded = /^basic +(\S+)$/i.exec(headers.authorization ?? '')?.[1] ?? '';
  return secretsMatch(`${user}:${password}`, Buffer.from(encoded, 'base64').toString('utf8'));
}

/** The options of vendors that can be told a name and a password for what they report. */
export const callbackPassword = {
  callbackUser: Type.Optional(Type.String({ minLength: 1, description: 'With callbackPassword' })),
  callbackPassword: Type.Optional(
    Type.String({ minLength: 12, description: 'Receipts are checked with it: Basic authorization' }),
  ),
};

interface CallbackPassword {
  callbackUser?: string;
  callbackPassword?: string;
}

export function checkCallback(
  { callbackPassword: password, callbackUser: user }: CallbackPassword,
  fault: (path: string, message: string) => void,
): void {
  if ((user === undefined) !== (password === undefined))
    fault('callbackPassword', 'and callbackUser belong together');
}

export const provenByCallback = (
  call: Call,
  { callbackPassword: password, callbackUser: user }: CallbackPassword,
): boolean | null =>
  user === undefined || password === undefined ? null : provenByPassword(call, user, password);

/** A secret in the address, for vendors that know nothing else. */
export const provenByToken = ({ query }: Call, token: string): boolean =>
  secretsMatch(token, query.token ?? '');

/** Later repetitions of a call carry its first signature: Sinch goes on for 22 hours and 45 minutes. */
const SINCH_OLDEST_S = 24 * 60 * 60;
const CLOCKS_DIFFER_S = 5 * 60;

/**
 * HMAC-SHA256 of body, nonce and timestamp: https://developers.sinch.com/docs/conversation/callbacks#validating-callbacks,
 * as the vendor's libraries check it for SMS, too.
 */
export function provenBySinch({ body, headers }: Call, secret: string, now: Date): boolean {
  const given = headers['x-sinch-webhook-signature'] ?? '';
  const nonce = headers['x-sinch-webhook-signature-nonce'] ?? '';
  const timestamp = headers['x-sinch-webhook-signature-timestamp'] ?? '';
  const age = now.getTime() / 1_000 - Number(timestamp);
  if (!/^\d{1,12}$/.test(timestamp) || age > SINCH_OLDEST_S || age < -CLOCKS_DIFFER_S) return false;
  const expected = createHmac('sha256', secret).update(body).update(`.${nonce}.${timestamp}`);
  return secretsMatch(expected.digest('base64'), given);
}

const sha256 = (data: string | Buffer): string => createHash('sha256').update(data).digest('hex');

/**
 * A token that names address and body by their hashes, and ends after a minute:
 * https://developers.messagebird.com/api/#verifying-http-requests
 */
export async function provenByMessagebird(call: Call, signingKey: string, now: Date): Promise<boolean> {
  const { jwtVerify } = await import('jose');
  try {
    const token = call.headers['messagebird-signature-jwt'] ?? '';
    const { payload } = await jwtVerify(token, new TextEncoder().encode(signingKey), {
      ...{ algorithms: ['HS256', 'HS384', 'HS512'], issuer: 'MessageBird' },
      ...{ requiredClaims: ['nbf', 'exp', 'jti', 'url_hash'], currentDate: now, clockTolerance: 5 },
    });
    const sameUrl = secretsMatch(sha256(call.url), String(payload.url_hash));
    const empty = call.body.length === 0 && payload.payload_hash === undefined;
    return sameUrl && (empty || secretsMatch(sha256(call.body), String(payload.payload_hash)));
  } catch {
    return false;
  }
}

/**
 * Two kinds of signature, of which Plivo's pages promise now the one and now the other. V3 is over address and form:
 * https://www.plivo.com/docs/voice/concepts/signature-validation. V2 leaves out both query and form:
 * https://www.plivo.com/docs/messaging/concepts/signature-validation. Whoever has overheard one call signed by V2 alone
 * could write others, so that proves nothing beyond what the address proves: null.
 */
export function provenByPlivo(call: Call, authToken: string): boolean | null {
  const { headers } = call;
  const sign = (text: string) => createHmac('sha256', authToken).update(text, 'utf8').digest('base64');
  const isOneOf = (names: string[], expected: string) =>
    names
      .flatMap((name) => (headers[name] ?? '').split(','))
      .some((given) => secretsMatch(expected, given.trim()));
  // What is no form was never signed as one.
  if (Object.values(call.content ?? {}).some((value) => typeof value !== 'string')) return false;
  const nonce = headers['x-plivo-signature-v3-nonce'];
  if (nonce !== undefined) {
    const names = ['x-plivo-signature-v3', 'x-plivo-signature-ma-v3'];
    return isOneOf(names, sign(`${plivoText(call)}.${nonce}`));
  }
  const older = headers['x-plivo-signature-v2-nonce'];
  const names = ['x-plivo-signature-v2', 'x-plivo-signature-ma-v2'];
  const [address = ''] = call.url.split('?');
  return older !== undefined && isOneOf(names, sign(`${address}${older}`)) ? null : false;
}

/** The query sorted, a full stop where a form follows, and its members behind each other by name. */
function plivoText({ content, method, query, url }: Call): string {
  const [address = ''] = url.split('?');
  const byName = (members: unknown) => Object.entries(members ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  const sorted = byName(query)
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
  const form = method === 'POST' ? byName(content) : [];
  const asked = sorted === '' && form.length === 0 ? address : `${address}?${sorted}`;
  const stop = sorted !== '' && form.length > 0 ? '.' : '';
  return `${asked}${stop}${form.map(([name, value]) => `${name}${value}`).join('')}`;
}
