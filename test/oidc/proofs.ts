import { randomUUID } from 'node:crypto';
import {
  type CryptoKey,
  calculateJwkThumbprint,
  exportJWK,
  generateKeyPair,
  type JWTPayload,
  SignJWT,
} from 'jose';
import type { App } from '../../src/apps/types.ts';
import { type Harness, shop } from './harness.ts';

/** A key pair of an app, the public one as a set. */
export async function appKeys() {
  const { publicKey, privateKey } = await generateKeyPair('ES256');
  const jwk = { ...(await exportJWK(publicKey)), kid: 'k1', alg: 'ES256' };
  return { privateKey, jwks: { keys: [jwk] } };
}

export const ordersApi = {
  audience: 'https://orders.test/',
  name: 'Orders',
  scopes: ['orders:read', 'orders:write'],
  tokenFormat: 'jwt' as const,
  client: null,
};

/** An app that proves itself by a key, with an API. */
export async function bank(): Promise<{ privateKey: CryptoKey; app: App }> {
  const { privateKey, jwks } = await appKeys();
  const app: App = {
    ...shop,
    id: 'bank',
    secretHashes: [],
    tokenEndpointAuthMethod: 'private_key_jwt',
    jwks,
    grantTypes: ['authorization_code', 'refresh_token', 'client_credentials'],
    resources: [ordersApi],
  };
  return { privateKey, app };
}

/** A client assertion of the bank; a claim that is undefined is left out. */
export function assertion(gateway: Harness, key: CryptoKey, claims: Record<string, unknown> = {}) {
  const standard = {
    ...{ iss: 'bank', sub: 'bank', aud: gateway.issuer.origin, jti: randomUUID() },
    exp: Math.floor(Date.now() / 1000) + 60,
  };
  return new SignJWT({ ...standard, ...claims } as JWTPayload)
    .setProtectedHeader({ alg: 'ES256', kid: 'k1' })
    .sign(key);
}

export interface ProofKey {
  privateKey: CryptoKey;
  jwk: Record<string, unknown>;
  thumbprint: string;
}

export async function proofKey(): Promise<ProofKey> {
  const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
  const jwk = await exportJWK(publicKey);
  return { privateKey, jwk: { ...jwk }, thumbprint: await calculateJwkThumbprint(jwk) };
}

/** A DPoP proof (RFC 9449, section 4.2), with any member another than it should be. */
export function dpop(
  key: ProofKey,
  htm: string,
  htu: string,
  claims: Record<string, unknown> = {},
  header: Record<string, unknown> = {},
): Promise<string> {
  const iat = Math.floor(Date.now() / 1000);
  return new SignJWT({ htm, htu, iat, jti: randomUUID(), ...claims } as JWTPayload)
    .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk: key.jwk, ...header })
    .sign(key.privateKey);
}
