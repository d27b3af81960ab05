import { durationFault, durationPattern } from '../../lib/duration.ts';
import type { Fault } from '../../lib/problem.ts';
import { Type } from '../../lib/schema.ts';
import { secretFault, webhookMembers } from '../webhook-secret.ts';

/** The member `guard.lookup` of gateway.yaml, defaults filled in. */
export interface LookupDocument {
  url: string;
  secret: string;
  allowPrivateNetwork: boolean;
  timeout: string;
  keep: string;
  simSwappedWithin: string;
  onFailure: 'allow' | 'refuse';
}

const duration = (standard: string, description: string) =>
  Type.String({ default: standard, pattern: durationPattern, description });

export const lookupSchema = Type.Partial(
  Type.Object({
    ...webhookMembers({
      url: 'Asked about a number before a message goes to it: what kind of line it is, and when its SIM card was replaced. Empty: nobody is asked.',
      secret: 'Signs the question as Standard Webhooks say: whsec_ and 24 to 64 bytes in base64.',
    }),
    allowPrivateNetwork: Type.Boolean({
      default: false,
      description: 'The address may stand in a private network.',
    }),
    timeout: duration('2s', 'How long an answer may take. People wait meanwhile.'),
    keep: duration('1d', 'How long an answer is kept, so that not every message asks anew.'),
    simSwappedWithin: duration('3d', 'A SIM card that is younger than this says no, by the rule sim-swap.'),
    onFailure: Type.Enum(['allow', 'refuse'], {
      default: 'allow',
      description: 'What becomes of a message while there is no answer.',
    }),
  }),
  { additionalProperties: false, default: {} },
);

/** What the schema cannot say. Paths begin at `lookup`. */
export function lookupFaults(lookup: LookupDocument): Fault[] {
  const { keep, secret, simSwappedWithin, timeout, url } = lookup;
  const faults: (Fault | null)[] = [
    durationFault('lookup.timeout', timeout, '1s', '5s'),
    durationFault('lookup.keep', keep, '0s', '30d'),
    durationFault('lookup.simSwappedWithin', simSwappedWithin, '0s', '90d'),
  ];
  if (url !== '') {
    if (!URL.canParse(url)) faults.push({ path: 'lookup.url', message: 'is no address' });
    faults.push(secretFault('lookup.secret', secret));
  }
  return faults.filter((fault) => fault !== null);
}
