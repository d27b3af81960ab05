import type { SettingSection } from '../config/types.ts';
import { durationFault, durationPattern } from '../lib/duration.ts';
import { Type } from '../lib/schema.ts';

/** The member `sessions` of gateway.yaml, defaults filled in. */
export interface SessionsDocument {
  /** `8h`: a session that nobody uses ends after this. */
  idle: string;
  /** `30d`: every session ends after this. */
  absolute: string;
}

/** The member `sessions` of gateway.yaml. A change holds for sessions that begin afterwards. */
export const sessionsSection: SettingSection = {
  kind: 'setting',
  member: 'sessions',
  schema: Type.Partial(
    Type.Object({
      idle: Type.String({
        pattern: durationPattern,
        default: '8h',
        description: 'A session that is not used for this long ends: 1m to 365d.',
      }),
      absolute: Type.String({
        pattern: durationPattern,
        default: '30d',
        description: 'Every session ends after this long: 5m to 365d.',
      }),
    }),
    { additionalProperties: false },
  ),
  check(value) {
    const { idle, absolute } = value as SessionsDocument;
    return [
      durationFault('idle', idle, '1m', '365d'),
      durationFault('absolute', absolute, '5m', '365d'),
    ].filter((fault) => fault !== null);
  },
};
