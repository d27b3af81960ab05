import { createAudit } from '../../src/audit/index.ts';
import type { Configuration } from '../../src/config/types.ts';
import { flowFaults } from '../../src/flows/documents/checks.ts';
import type { FlowDocument, StepDocument } from '../../src/flows/documents/schema.ts';
import { createFlowDesk, type FlowDesk } from '../../src/flows/index.ts';
import { methods } from '../../src/flows/methods/index.ts';
import type { Clock } from '../../src/lib/clock.ts';
import { systemRandom } from '../../src/lib/ids.ts';
import type { Storage } from '../../src/storage/types.ts';

/** The checks of flows, as if every provider and attribute was there. */
const check: Configuration['check'] = async ({ collections }) =>
  (collections.flows ?? []).flatMap(({ path, resolved }) =>
    flowFaults(resolved as unknown as FlowDocument, methods).map((fault) => ({
      ...fault,
      path: `${path}.${fault.path}`,
    })),
  );

export const openDesk = (storage: Storage, clock: Clock): FlowDesk =>
  createFlowDesk({
    ...{ storage, clock, check, advise: async () => [], random: systemRandom, audit: createAudit() },
    apps: { list: async () => [], find: async () => undefined },
    ownPages: async () => ({ flows: [], apps: [] }),
    // Nobody is asked for here.
    users: undefined as never,
  });

export const password: StepDocument[] = [{ id: 'first', options: ['password'] }];
export const withCode: StepDocument[] = [...password, { id: 'second', options: ['sms-otp'] }];
export const withBackup: StepDocument[] = [
  ...password,
  { id: 'second', options: ['sms-otp', 'backup-code'] },
];

export const documentOf = (steps: StepDocument[], name = 'Main') => ({ id: 'main', name, steps });
