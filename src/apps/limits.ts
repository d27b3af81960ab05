import { durationFault, durationPattern } from '../lib/duration.ts';
import type { Fault } from '../lib/problem.ts';
import { type Static, Type } from '../lib/schema.ts';

/** The member `sessions` of an app: what it asks beyond the limits that hold for everyone. */
export const limitsSchema = Type.Object(
  {
    idle: Type.Optional(
      Type.String({
        pattern: durationPattern,
        description: 'Asks to sign in again when the session was not used for this long since.',
      }),
    ),
    absolute: Type.Optional(
      Type.String({
        pattern: durationPattern,
        description: 'Asks to sign in again when that was longer ago than this.',
      }),
    ),
  },
  { additionalProperties: false, description: 'Limits shorter than those of gateway.yaml, for this app.' },
);

export type SessionLimits = Static<typeof limitsSchema>;

/** A session ends for everyone by `general`, so a longer limit of an app would mean nothing. */
export function faultsOfLimits(limits: SessionLimits, general: Required<SessionLimits>): Fault[] {
  const { idle, absolute } = limits;
  return [
    idle === undefined ? null : durationFault('idle', idle, '1m', general.idle),
    absolute === undefined ? null : durationFault('absolute', absolute, '1m', general.absolute),
  ].filter((fault) => fault !== null);
}
