import type { User } from '../../users/types.ts';
import type { AccountDeps } from '../types.ts';

/*
 * The forms say which numbers they were made for: pressed once more, or in another tab, “Remove” must not take the number
 * that has moved up meanwhile.
 */

type Numbers = Pick<User, 'id' | 'phone' | 'secondPhone'>;
type Deps = Pick<AccountDeps, 'crypto'>;

const partsOf = ({ id, phone, secondPhone }: Numbers): string[] => [
  ...['numbers', id, phone ?? '', secondPhone ?? ''],
];

export const stampOf = ({ crypto }: Deps, numbers: Numbers): string =>
  crypto.mac('form', ...partsOf(numbers));

export const isStampOf = ({ crypto }: Deps, stamp: string, numbers: Numbers): boolean =>
  crypto.verifyMac(stamp, 'form', ...partsOf(numbers));
