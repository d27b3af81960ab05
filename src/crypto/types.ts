import type { JWK } from 'jose';
import type { Db } from '../storage/types.ts';

/** What a secret is for; each purpose has its own HKDF sub-key, so a value of one cannot pass for another's. */
export type Purpose =
  | 'backup-code'
  | 'device'
  | 'form'
  | 'identifier'
  | 'login-binding'
  | 'message'
  | 'oidc-cookie'
  | 'otp'
  | 'provider'
  | 'signing-key'
  | 'simulator';

/** Sealing and keyed hashes under `SECRET_KEY`. Old keys only read. */
export interface Crypto {
  /** AES-256-GCM; the result is `<keyId>.<base64url>` and opens only with the same purpose and context. */
  seal(purpose: Purpose, plain: string, context?: string): string;
  /** Throws when the value was changed, belongs elsewhere, or its key is gone. */
  open(purpose: Purpose, sealed: string, context?: string): string;
  /** HMAC-SHA-256 of the parts (each length-prefixed) as `<keyId>.<base64url>`, under the newest key. */
  mac(purpose: Purpose, ...parts: string[]): string;
  /** The same under every key, newest first: for look-ups of what was stored before a rotation. */
  macs(purpose: Purpose, ...parts: string[]): string[];
  /** Constant-time comparison of a stored mac with the parts. False for a malformed or unknown-key mac. */
  verifyMac(stored: string, purpose: Purpose, ...parts: string[]): boolean;
}

/** Password hashing, bounded: at most as many at once as there are cores, and a short queue. */
export interface Passwords {
  /** argon2id, PHC string. The password is NFC-normalised. Throws Problem 503 when the queue is full. */
  hash(password: string): Promise<string>;
  /**
   * Compares. `stored` null or undefined runs a decoy of the same cost and answers false.
   * `rehash` says that the stored form is older or weaker than today's.
   */
  verify(stored: string | null | undefined, password: string): Promise<{ ok: boolean; rehash: boolean }>;
  /** A fault sentence when the string is no hash that can be verified (or asks for too much work), else null. */
  faultOf(stored: string): string | null;
}

export interface SigningKey {
  kid: string;
  alg: 'ES256' | 'RS256';
  publicJwk: JWK;
  privateJwk: JWK;
}

/** Signing keys, sealed in the database and shared by all instances. */
export interface SigningKeys {
  /** The live keys, the signing one of each algorithm first. Creates the first pair when there is none. */
  load(db: Db): Promise<SigningKey[]>;
}
