import { createHmac, createSecretKey, hash, type KeyObject } from 'node:crypto';
import { percent } from '../template/encode.ts';

export interface AwsCredentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
}

export interface SignableRequest {
  method: string;
  host: string;
  /** Path as it is sent, and its query without the question mark. */
  path: string;
  query: string;
  /** Beside `host` and `x-amz-date`. */
  headers: [name: string, value: string][];
  body: string;
}

interface Scope {
  region: string;
  service: string;
}

const sha256 = (text: string): string => hash('sha256', text);
const hmac = (key: string | Buffer | KeyObject, text: string): Buffer =>
  createHmac('sha256', key).update(text, 'utf8').digest();

/**
 * The headers that sign a request, version 4, with all its headers:
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
export function signV4(
  request: SignableRequest,
  { accessKeyId, secretAccessKey, sessionToken }: AwsCredentials,
  scope: Scope,
  now: Date,
): [name: string, value: string][] {
  const stamp = now.toISOString().replace(/[:-]|\.\d{3}/g, '');
  const day = stamp.slice(0, 8);
  const added: [string, string][] = [['X-Amz-Date', stamp]];
  if (sessionToken !== undefined) added.push(['X-Amz-Security-Token', sessionToken]);
  const signed = [['host', request.host] as const, ...request.headers, ...added]
    .map(([name, value]) => [name.toLowerCase(), value.trim().replace(/ +/g, ' ')] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  const names = signed.map(([name]) => name).join(';');
  const canonical = [
    request.method,
    request.path,
    canonicalQuery(request.query),
    ...signed.map(([name, value]) => `${name}:${value}`),
    '',
    names,
    sha256(request.body),
  ].join('\n');
  const credentialScope = `${day}/${scope.region}/${scope.service}/aws4_request`;
  const toSign = ['AWS4-HMAC-SHA256', stamp, credentialScope, sha256(canonical)].join('\n');
  const signature = hmac(signingKey(secretAccessKey, day, scope), toSign).toString('hex');
  const authorization = `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${credentialScope}, SignedHeaders=${names}, Signature=${signature}`;
  return [...added, ['Authorization', authorization]];
}

/** The last key that was made: it holds for a day. */
let last: { of: string; key: KeyObject } | null = null;

function signingKey(secret: string, day: string, { region, service }: Scope): KeyObject {
  const of = [secret, day, region, service].join('\n');
  if (last?.of !== of) {
    const parts = [region, service, 'aws4_request'];
    const key = parts.reduce((before, part) => hmac(before, part), hmac(`AWS4${secret}`, day));
    last = { of, key: createSecretKey(key) };
  }
  return last.key;
}

/** Sorted by name and then by value, both percent-encoded. */
const canonicalQuery = (query: string): string =>
  [...new URLSearchParams(query)]
    .map(([name, value]) => `${percent(name)}=${percent(value)}`)
    .sort()
    .join('&');
