import { isDeepStrictEqual } from 'node:util';
import type { Audit } from '../../audit/types.ts';
import type { CollectionSection } from '../../config/types.ts';
import type { RandomSource } from '../../lib/ids.ts';
import type { Revisions } from '../../storage/types.ts';
import { methods } from '../methods/index.ts';
import { publishFile } from '../versions/publishing.ts';
import { deleteFlow, findPublished, listPublished } from '../versions/store.ts';
import { borrowedFactors } from './borrowed.ts';
import { flowFaults } from './checks.ts';
import { type FlowDocument, flowSchema } from './schema.ts';

export interface FlowsSectionDeps {
  revisions: Pick<Revisions, 'bump'>;
  random: RandomSource;
  audit: Audit;
}

/** `flows.yaml`. Each change is a new version that new logins take; running ones finish on theirs. */
export const flowsSection = ({ revisions, random, audit }: FlowsSectionDeps): CollectionSection => ({
  kind: 'collection',
  member: 'flows',
  schema: flowSchema(methods),
  idOf: (item) => String(item.id),
  doubts: borrowedFactors,
  check: ({ resolved }, candidate) => flowFaults(resolved as unknown as FlowDocument, methods, candidate),

  async list(db) {
    const flows = await listPublished(db);
    return new Map(flows.map(({ document }) => [document.resolved.id, { ...document.raw }]));
  },

  async same(db, { raw, resolved }) {
    const stored = await findPublished(db, String(resolved.id));
    return isDeepStrictEqual(stored?.document, JSON.parse(JSON.stringify({ raw, resolved })));
  },

  async save(tx, { raw, resolved }, _position, now) {
    const document = { raw, resolved: resolved as unknown as FlowDocument };
    await publishFile({ random, audit }, tx, document, now);
    await revisions.bump(tx, 'flows');
  },

  async remove(tx, id) {
    await deleteFlow(tx, id);
    await revisions.bump(tx, 'flows');
  },
});
