import { createPublicKey } from 'node:crypto';
import type { JWK } from 'jose';
import type { Fault } from '../lib/problem.ts';
import { type AppDocument, authMethodOf } from './document.ts';
import { faultOfLink } from './uris.ts';

/** Members of a JWK that only its owner may know. */
const secretMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'k', 'priv'];
const leastRsaBits = 2048;

/** What is wrong with an app's public keys, or with their absence. */
export function faultsOfKeys(app: AppDocument): Fault[] {
  const { jwks, jwksUri } = app;
  const faults = (jwks?.keys ?? []).flatMap((jwk, index): Fault[] => {
    const message = faultOfKey(jwk);
    return message === null ? [] : [{ path: `jwks.keys[${index}]`, message }];
  });
  if (jwks !== undefined && jwksUri !== undefined) {
    faults.push({ path: 'jwksUri', message: 'stands beside jwks: leave one of them out' });
  }
  const fault = jwksUri === undefined ? null : faultOfLink(jwksUri);
  if (fault !== null) faults.push({ path: 'jwksUri', message: fault });
  if (authMethodOf(app) === 'private_key_jwt' && jwks === undefined && jwksUri === undefined) {
    faults.push({ path: 'tokenEndpointAuthMethod', message: "is 'private_key_jwt' without jwks or jwksUri" });
  }
  return faults;
}

function faultOfKey(jwk: Record<string, unknown>): string | null {
  const secret = secretMembers.find((member) => member in jwk);
  if (secret !== undefined) return `holds '${secret}', a part of the private key: give only the public one`;
  try {
    const { asymmetricKeyDetails: details } = createPublicKey({ key: jwk as JWK, format: 'jwk' });
    if ((details?.modulusLength ?? leastRsaBits) < leastRsaBits) return `has fewer than ${leastRsaBits} bits`;
    return null;
  } catch {
    return 'is no public key in the form of a JWK';
  }
}
