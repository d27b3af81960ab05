import { createPrivateKey, type KeyObject } from 'node:crypto';
import { parseDuration } from '../../lib/duration.ts';
import { newId } from '../../lib/ids.ts';
import type { TemplateReader } from '../http/reader.ts';
import type { Dispatch, ProviderDraft } from '../preset.ts';
import { compile, type Piece, render } from '../template/template.ts';
import { valuesOf } from '../values.ts';
import type { JwtDocument } from './options.ts';

/** Signs one token for one message. */
export type SignToken = (message: Dispatch, now: Date) => Promise<string>;

const DEFAULT_LIFETIME_MS = 5 * 60_000;
const LONGEST_MS = 24 * 3_600_000;
/** NIST SP 800-131A: shorter ones are no longer allowed. */
const MIN_RSA_BITS = 2_048;
const own = ['iat', 'exp', 'jti'];

/** Reads the member `auth.jwt`; null when something about it was reported. */
export function readSignedToken(
  document: JwtDocument,
  pem: string | null,
  keyId: string | null,
  reader: TemplateReader,
  draft: ProviderDraft,
): SignToken | null {
  const key = pem === null ? null : readKey(pem, document.algorithm, draft);
  const claims = readClaims(document.claims ?? {}, reader, draft);
  const lifetimeMs = readLifetime(document.lifetime, draft);
  if (key === null) return null;
  return async (message, now) => {
    // Loaded when the first message is signed: most gateways are not spoken to in this way.
    const { SignJWT } = await import('jose');
    const values = valuesOf(message);
    const filled = claims.map(([name, value]) => [
      name,
      typeof value === 'object' ? render(value, values) : value,
    ]);
    const seconds = Math.floor(now.getTime() / 1_000);
    return new SignJWT(Object.fromEntries(filled))
      .setProtectedHeader({ alg: document.algorithm, typ: 'JWT', ...(keyId !== null && { kid: keyId }) })
      .setIssuedAt(seconds)
      .setExpirationTime(seconds + lifetimeMs / 1_000)
      .setJti(newId('jwt'))
      .sign(key);
  };
}

function readKey(pem: string, algorithm: JwtDocument['algorithm'], draft: ProviderDraft): KeyObject | null {
  const path = 'http.auth.jwt.privateKey';
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch {
    draft.fault(path, 'is no private key in PEM, or one with a passphrase');
    return null;
  }
  const { modulusLength = 0, namedCurve } = key.asymmetricKeyDetails ?? {};
  if (algorithm === 'RS256' && (key.asymmetricKeyType !== 'rsa' || modulusLength < MIN_RSA_BITS)) {
    draft.fault(path, `RS256 needs an RSA key of at least ${MIN_RSA_BITS} bits`);
    return null;
  }
  if (algorithm === 'ES256' && namedCurve !== 'prime256v1') {
    draft.fault(path, 'ES256 needs a key on the curve P-256');
    return null;
  }
  return key;
}

type Claim = [name: string, value: Piece[] | number | boolean];

function readClaims(
  document: NonNullable<JwtDocument['claims']>,
  reader: TemplateReader,
  draft: ProviderDraft,
): Claim[] {
  return Object.entries(document).flatMap(([name, value]): Claim[] => {
    const path = `http.auth.jwt.claims.${name}`;
    if (own.includes(name)) draft.fault(path, 'is added by the connector itself');
    if (typeof value !== 'string') return [[name, value]];
    const pieces = reader.read(path, value, (nodes) => compile(nodes, () => 'text', reader.constants));
    return pieces === null ? [] : [[name, pieces]];
  });
}

function readLifetime(written: string | undefined, draft: ProviderDraft): number {
  if (written === undefined) return DEFAULT_LIFETIME_MS;
  const ms = parseDuration(draft.resolve(written));
  if (ms < 10_000 || ms > LONGEST_MS) draft.fault('http.auth.jwt.lifetime', 'must be between 10s and 24h');
  return ms;
}
