import type { Method, Methods } from '../method.ts';
import { backupCode } from './backup-code.ts';
import { identify } from './identify.ts';
import { password } from './password.ts';
import { smsOtp } from './sms-otp.ts';
import { totp } from './totp.ts';

/** Every method that a flow may name: one file and one line here each. */
const registered = [identify, password, smsOtp, totp, backupCode] as const;

export type MethodId = (typeof registered)[number]['id'];

export const methods: Methods = new Map<string, Method>(registered.map((method) => [method.id, method]));

/** For developers: the `amr` values (RFC 8176) that sign-ins bring, with the methods that they come from. */
export function amrMeanings(): Record<string, string> {
  const meanings: Record<string, string> = {};
  for (const { id, amr } of registered) {
    for (const value of amr) meanings[value] = [meanings[value], id].filter(Boolean).join(', ');
  }
  return { ...meanings, mfa: 'factors of two different kinds' };
}
