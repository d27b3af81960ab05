import { type Text, text } from '../lib/texts.ts';
import type { Device } from '../sessions/index.ts';

/** What people call it: “Firefox on Android”. */
export function deviceName({ browser, system }: Device): Text {
  if (browser !== null && system !== null) return text('account.deviceBoth', { browser, system });
  const known = browser ?? system;
  return known === null ? text('account.deviceUnknown') : text('account.deviceOne', { name: known });
}
