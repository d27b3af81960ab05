import type { Candidate, SettingSection } from '../config/types.ts';
import { asksSecondFactor, type FlowDocument } from '../flows/index.ts';
import { durationFault, durationPattern } from '../lib/duration.ts';
import type { Fault } from '../lib/problem.ts';
import { Type } from '../lib/schema.ts';

/** The member `account` of gateway.yaml, defaults filled in. */
export interface AccountDocument {
  enabled: boolean;
  /** Empty: the built-in one. */
  flow: string;
  enrolBy: 'second-factor' | 'password';
  /** Empty: none. */
  helpContact: string;
  deletion: {
    enabled: boolean;
    /** `14d`. */
    wait: string;
  };
}

/** The member `account` of gateway.yaml. */
export const accountSection: SettingSection = {
  kind: 'setting',
  member: 'account',
  schema: Type.Partial(
    Type.Object({
      enabled: Type.Boolean({
        default: true,
        description: 'Whether people can look after their own account at /account.',
      }),
      flow: Type.String({
        default: '',
        maxLength: 63,
        description:
          'Id of the flow that /account asks for. Default: the password, then whatever second factor the person has.',
      }),
      enrolBy: Type.Enum(['second-factor', 'password'], {
        default: 'second-factor',
        description:
          'Whether who has no second factor may add the first one there with the password alone. A stolen password is then enough to add one, too.',
      }),
      helpContact: Type.String({
        default: '',
        maxLength: 200,
        description:
          'Whom people ask who cannot go on by themselves: an address, a URL or a sentence. Shown wherever an app names nobody.',
      }),
      deletion: Type.Partial(
        Type.Object({
          enabled: Type.Boolean({
            default: false,
            description: 'Whether people may have their account deleted there.',
          }),
          wait: Type.String({
            default: '14d',
            pattern: durationPattern,
            description: 'How long they can change their mind: 1h to 365d.',
          }),
        }),
        { additionalProperties: false, default: {} },
      ),
    }),
    { additionalProperties: false },
  ),
  check(value, candidate) {
    const { deletion, flow } = value as AccountDocument;
    const wait = durationFault('deletion.wait', deletion.wait, '1h', '365d');
    return [...faultsOfFlow(flow, candidate), ...(wait ? [wait] : [])];
  },
};

function faultsOfFlow(id: string, candidate: Candidate): Fault[] {
  if (id === '') return [];
  const flow = candidate.collection('flows').get(id);
  if (!flow) return [{ path: 'flow', message: `names no flow: '${id}'` }];
  const document = flow.resolved as unknown as FlowDocument;
  if (!Array.isArray(document.steps) || asksSecondFactor(document)) return [];
  const message = `'${id}' asks for no second factor, and without one nobody could change anything there: add a step without a condition`;
  return [{ path: 'flow', message }];
}
