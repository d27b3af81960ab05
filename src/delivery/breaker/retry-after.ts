import type { GatewayAnswer } from '../preset.ts';

/** Milliseconds that the answer asks to wait (RFC 9110, section 10.2.3: seconds, or a date); 0 when it says nothing. */
export function retryAfterMs({ headers }: Pick<GatewayAnswer, 'headers'>, now: Date): number {
  const written = headers['retry-after']?.trim() ?? '';
  if (/^\d{1,9}$/.test(written)) return Number(written) * 1000;
  const at = written === '' ? Number.NaN : Date.parse(written);
  return Number.isNaN(at) ? 0 : Math.max(0, at - now.getTime());
}
