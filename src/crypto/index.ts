/**
 * crypto: sealing and keyed hashes under SECRET_KEY, password hashing with the imported forms, and the keys that sign
 * tokens, with their rotation. Owns the table `signing_keys`.
 * It does not own tokens, codes or users: who hashes what, and when, is decided by the features.
 * Routes: none.
 */
export { createCrypto, SealBroken, sha256 } from './crypto.ts';
export { createPasswords, type PasswordOptions } from './passwords.ts';
export { createKeyRotation, type KeyRotationDeps, keyCommands, signingKeysTopic } from './rotation.ts';
export {
  discardUnreadable,
  findOlderKeys,
  findUnreadable,
  SecretsUnreadable,
  signingKeysSealed,
} from './sealed.ts';
export { createSigningKeys } from './signing-keys.ts';
