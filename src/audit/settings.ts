import type { SettingSection, Settings } from '../config/types.ts';
import { durationFault, parseDuration } from '../lib/duration.ts';
import { Type } from '../lib/schema.ts';
import type { Sweep } from '../storage/types.ts';

/** The member `audit` of gateway.yaml, defaults filled in. */
interface AuditDocument {
  /** `400d`, or `forever`. */
  retention: string;
}

const forever = 'forever';

/** The member `audit` of gateway.yaml. */
export const auditSection: SettingSection = {
  kind: 'setting',
  member: 'audit',
  schema: Type.Partial(
    Type.Object({
      retention: Type.String({
        pattern: `^(${forever}|[1-9][0-9]{0,5}[smhd])$`,
        default: '400d',
        description: `How long the record of events is kept: 1d to 36500d, or “${forever}”. What is older is removed within minutes.`,
      }),
    }),
    { additionalProperties: false },
  ),
  check(value) {
    const { retention } = value as AuditDocument;
    const fault = retention === forever ? null : durationFault('retention', retention, '1d', '36500d');
    return fault === null ? [] : [fault];
  },
};

/** Events go when the time is over that the settings in force give them. */
export const auditSweeps = (settings: Settings): Sweep[] => [
  {
    table: 'audit_events',
    column: 'at',
    keptMs() {
      const { retention } = settings.get<AuditDocument>('audit');
      return retention === forever ? null : parseDuration(retention);
    },
  },
];
