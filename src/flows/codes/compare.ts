import { setTimeout as delay } from 'node:timers/promises';
import type { Channel } from '../../delivery/types.ts';
import type { Reserved } from '../../otp/types.ts';
import type { CheckContext } from '../method.ts';

/**
 * What came of a typed code. `unchecked`: who keeps the code could not be asked. `not-passed`: wrong or unchecked, and which
 * of both must not be told.
 */
export type Compared = { codeId: string } | 'wrong' | 'expired' | 'unchecked' | 'not-passed';

/** Longer than a gateway takes to answer; of a code that is right nobody has to wait for it. */
const ALIKE_MS = 1_500;

/**
 * Compares a typed code, a try having been spent for it. `closed`: nothing can be right here, so nobody is asked.
 *
 * Before a factor was passed, a gateway that keeps its codes could tell by its answers, and by the time that they take,
 * which names have an account: for the others nothing is asked. So whatever does not pass is told in the same words, and
 * not before a moment that is the same for all.
 */
export async function compareCode(
  { now, proved, services: { delivery, otp } }: CheckContext,
  channel: Channel,
  { reservation, typed, closed }: { reservation: Reserved; typed: string; closed: boolean },
): Promise<Compared> {
  const started = performance.now();
  const found = closed ? otp.match(reservation, typed, now) : await otp.check(reservation, typed, now);
  if (typeof found === 'object') return closed ? 'wrong' : found;
  if (proved || !delivery.keepsCodes(channel)) return found === 'gone' ? 'expired' : found;
  await delay(Math.max(0, ALIKE_MS - (performance.now() - started)));
  return found === 'expired' ? found : 'not-passed';
}
