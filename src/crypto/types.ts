import type { JWK } from 'jose';
import type { Db } from '../storage/types.ts';

/** What a secret is for; each purpose has its own HKDF sub-key, so a value of one cannot pass for another's. */
export type Purpose =
  | 'backup-code'
  | 'credential'
  | 'device'
  | 'dpop-nonce'
  | 'form'
  | 'identifier'
  | 'login-binding'
  | 'message'
  | 'oidc-cookie'
  | 'otp'
  | 'provider'
  | 'receipt'
  | 'setting'
  | 'remembered-device'
  | 'signing-key'
  | 'simulator';

/** Sealing and keyed hashes under `SECRET_KEY`. Old keys only read. */
export interface Crypto {
  /** Of the keys at hand, the newest first. */
  keyIds: readonly string[];
  /** AES-256-GCM; the result is `<keyId>.<base64url>` and opens only with the same purpose and context. */
  seal(purpose: Purpose, plain: string, context?: string): string;
  /** Throws when the value was changed, belongs elsewhere, or its key is gone. */
  open(purpose: Purpose, sealed: string, context?: string): string;
  /** The same value under the newest key; null where it is under that one already. Throws as {@link Crypto.open}. */
  renewed(purpose: Purpose, sealed: string, context?: string): string | null;
  /** HMAC-SHA-256 of the parts (each length-prefixed) as `<keyId>.<base64url>`, under the newest key. */
  mac(purpose: Purpose, ...parts: string[]): string;
  /** The same under every key, newest first: for look-ups of what was stored before a rotation. */
  macs(purpose: Purpose, ...parts: string[]): string[];
  /** Constant-time comparison of a stored mac with the parts. False for a malformed or unknown-key mac. */
  verifyMac(stored: string, purpose: Purpose, ...parts: string[]): boolean;
}

/** A column whose values only a key of `SECRET_KEY` makes useful, as the feature declares it that owns the table. */
export interface SealedColumn {
  table: string;
  column: string;
  /** What a row is, in the plural, for whoever has lost the key. */
  what: string;
  /** How to open a value; absent for keyed hashes. `context` names the column that the value is bound to. */
  opens?: { purpose: Purpose; context: string };
}

/** What lies under a key that seals nothing any more. */
export interface OlderKey {
  id: string;
  /** False: `SECRET_KEY` does not hold it. */
  held: boolean;
  rows: { what: string; count: number }[];
}

/** What the keys at hand cannot read. */
export interface Unreadable {
  /** Ids of the keys that are lost. */
  keyIds: string[];
  /** Rows under those keys. */
  lost: { what: string; count: number }[];
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
  /** Ahead of the present: published, but not to be signed with yet. */
  signsFrom: Date;
}

/** Signing keys, sealed in the database and shared by all instances. */
export interface SigningKeys {
  /** The live keys, the signing one of each algorithm first. Creates the first pair when there is none. */
  load(db: Db): Promise<SigningKey[]>;
}

/** What may be told of a key. Plain JSON: times are ISO 8601. */
export interface KeyState {
  kid: string;
  alg: SigningKey['alg'];
  /** `next` is published and signs from `signsFrom` on; `old` signs no longer and is published for what it signed. */
  state: 'next' | 'signing' | 'old';
  createdAt: string;
  signsFrom: string;
}

/**
 * `planned`: the successor signs as soon as it has been published for long enough, mostly at once. `now`: at once,
 * though some applications may not know it yet. `leaked`: besides, everything signed so far is trusted no longer.
 */
export type RotateHow = 'planned' | 'now' | 'leaked';

export interface KeyRotation {
  /** The live keys of each algorithm, the newest first. */
  list(): Promise<KeyState[]>;
  /** Replaces the keys that sign. Of several at once one does it. Answers what is live then. */
  rotate(how: RotateHow): Promise<KeyState[]>;
  /** Makes the successors that are missing and retires what has expired. To be called now and then, by anyone. */
  maintain(): Promise<void>;
  /** The same, now and each hour, by one of all instances. To be called before the durable jobs start. */
  keepUp(): Promise<void>;
}
