import type { Method, Methods } from '../method.ts';
import { methods } from '../methods/index.ts';
import { resetAccount } from './account.ts';
import { resetCode } from './code.ts';
import { newPassword } from './new-password.ts';

const own: Method[] = [resetAccount, resetCode('email'), resetCode('sms'), newPassword];

/** What logins run with: methods that a flow may name, and those of the recovery, which it may not. */
export const allMethods: Methods = new Map([
  ...methods,
  ...own.map((method) => [method.id, method] as const),
]);
