import { isDeepStrictEqual } from 'node:util';
import type { Candidate, CollectionSection } from '../config/types.ts';
import type { Fault } from '../lib/problem.ts';
import { type Static, Type } from '../lib/schema.ts';
import { json } from '../storage/index.ts';
import type { Db } from '../storage/types.ts';

declare module '../storage/types.ts' {
  interface Database {
    user_attributes: UserAttributesTable;
  }
}

interface UserAttributesTable {
  name: string;
  document: Record<string, unknown>;
  created_at: Date;
  updated_at: Date;
}

/** What a user may have besides a name; conditions of flows may ask about it. */
export type AttributeDocument = Static<typeof schema>;

const types = {
  string: (value: unknown) => typeof value === 'string',
  number: (value: unknown) => typeof value === 'number',
  boolean: (value: unknown) => typeof value === 'boolean',
  list: (value: unknown) => Array.isArray(value) && value.every((one) => typeof one === 'string'),
};

const schema = Type.Object(
  {
    name: Type.String({
      pattern: '^[a-zA-Z][a-zA-Z0-9_]{0,62}$',
      description:
        'Under `attributes` of a user, and user.attributes.<name> in conditions. `birthdate` (1990-02-28) makes user.age known.',
    }),
    type: Type.Enum(['string', 'number', 'boolean', 'list'] as const, {
      description: 'What its values are; a list is one of texts.',
    }),
    description: Type.Optional(Type.String({ maxLength: 500, description: 'For whoever reads this file.' })),
  },
  { additionalProperties: false },
);

const find = (db: Db, name: string) =>
  db.selectFrom('user_attributes').select('document').where('name', '=', name).executeTakeFirst();

/** `attributes.yaml`. */
export const attributesSection: CollectionSection = {
  kind: 'collection',
  member: 'attributes',
  schema,
  idOf: (item) => String(item.name),
  async list(db) {
    const rows = await db
      .selectFrom('user_attributes')
      .select(['name', 'document'])
      .orderBy('created_at')
      .orderBy('name')
      .execute();
    return new Map(rows.map(({ name, document }) => [name, document]));
  },
  same: async (db, { resolved }) =>
    isDeepStrictEqual((await find(db, String(resolved.name)))?.document, resolved),
  async save(tx, { resolved }, _position, now) {
    const values = { document: json(resolved), updated_at: now };
    await tx
      .insertInto('user_attributes')
      .values({ name: String(resolved.name), ...values, created_at: now })
      .onConflict((conflict) => conflict.column('name').doUpdateSet(values))
      .execute();
  },
  async remove(tx, name) {
    await tx.deleteFrom('user_attributes').where('name', '=', name).execute();
  },
};

/** Attributes whose values are not what is declared of them. What is not declared may be anything. */
export function attributeFaults(attributes: Record<string, unknown>, candidate: Candidate): Fault[] {
  const declared = candidate.collection('attributes');
  return Object.entries(attributes).flatMap(([name, value]) => {
    const { type } = (declared.get(name)?.resolved ?? {}) as Partial<AttributeDocument>;
    if (type === undefined || types[type](value)) return [];
    return [{ path: `attributes.${name}`, message: `must be of the type ${type}, as attributes.yaml says` }];
  });
}
