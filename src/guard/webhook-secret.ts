import { stored } from '../config/index.ts';
import type { Fault } from '../lib/problem.ts';
import { Type } from '../lib/schema.ts';
import { webhookKey } from '../lib/standard-webhooks.ts';

/** Members of a document: where something is posted to, and what signs it. Each has a sentence that describes it. */
export const webhookMembers = (describe: { url: string; secret: string }) => ({
  url: Type.String({
    default: '',
    pattern: '^(https?://\\S+)?$',
    maxLength: 1_000,
    description: describe.url,
  }),
  secret: Type.String({ default: '', maxLength: 200, description: describe.secret }),
});

/** What is wrong with a secret that signs what is posted; one that is only to be kept was judged before. */
export function secretFault(path: string, secret: string): Fault | null {
  if (secret === stored || webhookKey(secret) !== null) return null;
  const message =
    'must be whsec_ and 24 to 64 bytes in base64; “echo whsec_$(openssl rand -base64 32)” makes one';
  return { path, message };
}
