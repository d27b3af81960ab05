import type { Candidate, SettingSection } from '../../config/types.ts';
import type { Fault } from '../../lib/problem.ts';
import { Type } from '../../lib/schema.ts';

export type RecoveryChannel = 'email' | 'sms';

/** The member `recovery` of gateway.yaml, defaults filled in. */
export interface RecoveryDocument {
  enabled: boolean;
  channels: RecoveryChannel[];
}

/** The member `recovery` of gateway.yaml. */
export const recoverySection: SettingSection = {
  kind: 'setting',
  member: 'recovery',
  schema: Type.Partial(
    Type.Object({
      enabled: Type.Boolean({
        default: false,
        description:
          'Whether who has forgotten a password may replace it by a code to the verified address or number of the account.',
      }),
      channels: Type.Array(Type.Enum(['email', 'sms']), {
        default: ['email'],
        minItems: 1,
        uniqueItems: true,
        description:
          'Where such codes go. With sms, in that sign-in the phone cannot be the second factor any more.',
      }),
    }),
    { additionalProperties: false },
  ),
  check: (value, candidate) => faultsOf(value as RecoveryDocument, candidate),
};

function faultsOf({ channels, enabled }: RecoveryDocument, candidate: Candidate): Fault[] {
  const providers = [...candidate.collection('providers').values()];
  const has = (channel: string) =>
    providers.some(({ resolved }) => resolved.channel === channel && resolved.enabled !== false);
  if (!enabled || channels.some(has)) return [];
  const message = 'none of these channels has a provider that is configured and enabled';
  return [{ path: 'channels', message }];
}
