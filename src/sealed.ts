import { settingsSealed } from './config/index.ts';
import { discardUnreadable, findOlderKeys, findUnreadable, signingKeysSealed } from './crypto/index.ts';
import type { Crypto, OlderKey, Unreadable } from './crypto/types.ts';
import { deliverySealed } from './delivery/index.ts';
import { flowsSealed } from './flows/index.ts';
import { guardSealed } from './guard/index.ts';
import { otpSealed } from './otp/index.ts';
import type { Storage } from './storage/types.ts';
import { usersSealed } from './users/index.ts';

/** Whatever only `SECRET_KEY` makes useful. */
const columns = [
  ...signingKeysSealed,
  ...deliverySealed,
  ...settingsSealed,
  ...usersSealed,
  ...otpSealed,
  ...flowsSealed,
  ...guardSealed,
];

/** Whether `SECRET_KEY` is the one of the database, and the way on for who has lost it. */
export interface Sealed {
  /** What the key does not open, or null. */
  unreadable(): Promise<Unreadable | null>;
  /** Removes that for good, and answers what it was. */
  discard(): Promise<Unreadable | null>;
  /** What lies under other keys than the one that seals now. */
  older(): Promise<OlderKey[]>;
}

export const createSealed = (storage: Storage, crypto: Crypto): Sealed => ({
  unreadable: () => findUnreadable(storage.db, crypto, columns),
  older: () => findOlderKeys(storage.db, crypto, columns),
  discard: () => storage.transaction((tx) => discardUnreadable(tx, crypto, columns)),
});
