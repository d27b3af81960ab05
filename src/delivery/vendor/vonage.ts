import { createPrivateKey } from 'node:crypto';
import { newId } from '../../lib/ids.ts';
import { type Static, Type } from '../../lib/schema.ts';
import type { Authorizer, GatewayRequest } from '../preset.ts';

const given = { minLength: 1 };

/** How Vonage is told who calls: https://developer.vonage.com/en/getting-started/concepts/authentication */
export const keys = {
  apiKey: Type.Optional(Type.String(given)),
  apiSecret: Type.Optional(Type.String(given)),
  applicationId: Type.Optional(Type.String({ ...given, description: 'With privateKey' })),
  privateKey: Type.Optional(Type.String({ ...given, description: 'PEM; of the application' })),
  signatureSecret: Type.Optional(Type.String({ ...given, description: 'Receipts are checked with it' })),
};
const Keys = Type.Object(keys);
export type VonageKeys = Static<typeof Keys>;

export const keySecrets = ['apiSecret', 'privateKey', 'signatureSecret'] as const;

export function checkKeys(options: VonageKeys, fault: (path: string, message: string) => void): void {
  const { apiKey, apiSecret, applicationId, privateKey } = options;
  if ((apiKey === undefined) !== (apiSecret === undefined)) fault('apiSecret', 'and apiKey belong together');
  if ((applicationId === undefined) !== (privateKey === undefined)) {
    fault('privateKey', 'and applicationId belong together');
  }
  if (privateKey === undefined) return;
  try {
    if (createPrivateKey(privateKey).asymmetricKeyType !== 'rsa') fault('privateKey', 'must be an RSA key');
  } catch {
    fault('privateKey', 'is no private key in PEM');
  }
}

/** With a key and a secret, unless the application signs. */
export const vonageBasic = (options: VonageKeys): [string, string] | null =>
  options.privateKey === undefined ? [options.apiKey ?? '', options.apiSecret ?? ''] : null;

/** A token is made for one request and used at once. */
const LIFETIME_S = 300;

const bearer = (request: GatewayRequest, token: string): GatewayRequest => ({
  ...request,
  headers: [...request.headers, ['Authorization', `Bearer ${token}`]],
});

/** Tokens of an application: https://developer.vonage.com/en/getting-started/concepts/authentication#json-web-tokens */
export function vonageAuthorizer({ applicationId, privateKey }: VonageKeys): Authorizer | null {
  if (applicationId === undefined || privateKey === undefined) return null;
  const key = createPrivateKey(privateKey);
  return {
    async authorize(request, _message, { now }) {
      // Loaded when the first message is signed: most providers are not spoken to in this way.
      const { SignJWT } = await import('jose');
      const seconds = Math.floor(now.getTime() / 1_000);
      const token = await new SignJWT({ application_id: applicationId })
        .setProtectedHeader({ alg: 'RS256', typ: 'JWT' })
        .setIssuedAt(seconds)
        .setExpirationTime(seconds + LIFETIME_S)
        .setJti(newId('jwt'))
        .sign(key);
      return { request: bearer(request, token), secrets: [token] };
    },
    preview: (request) => bearer(request, '•••'),
  };
}
