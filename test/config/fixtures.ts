import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Test } from 'tap';
import Type from 'typebox';
import type { CollectionSection, ConfigSection, Loaded } from '../../src/config/types.ts';
import { Problem } from '../../src/lib/problem.ts';
import { json } from '../../src/storage/index.ts';
import type { Db, Tx } from '../../src/storage/types.ts';

/** A new folder with these files, gone with the test. */
export function folderWith(t: Test, files: Record<string, string>): string {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-config-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}

const strict = { additionalProperties: false };

/** A collection that keeps its documents in rows of `settings`, so that these tests need no feature's table. */
function collection(
  member: string,
  schema: CollectionSection['schema'],
  more: Partial<CollectionSection> = {},
) {
  const key = (id: unknown) => `${member}/${id}`;
  const find = (db: Db, id: unknown) =>
    db.selectFrom('settings').select('document').where('section', '=', key(id)).executeTakeFirst();
  const section: CollectionSection = {
    kind: 'collection',
    member,
    schema,
    idOf: (item) => String(item.id),
    async list(db) {
      const rows = await db
        .selectFrom('settings')
        .select(['section', 'document'])
        .where('section', 'like', `${member}/%`)
        .orderBy('section')
        .execute();
      return new Map(
        rows.map(({ section, document }) => [
          section.slice(member.length + 1),
          (document as { raw: Record<string, unknown> }).raw,
        ]),
      );
    },
    async same(db, { raw, resolved }) {
      return isDeepStrictEqual((await find(db, resolved.id))?.document, { raw, resolved });
    },
    async save(tx: Tx, { raw, resolved }: Loaded, _position, now) {
      if (resolved.id === 'refused') {
        throw new Problem({
          status: 400,
          code: 'no',
          message: 'No.',
          errors: [{ path: 'id', message: 'is refused when it is saved' }],
        });
      }
      const document = json({ raw, resolved });
      await tx
        .insertInto('settings')
        .values({ section: key(resolved.id), document, updated_at: now })
        .onConflict((conflict) => conflict.column('section').doUpdateSet({ document }))
        .execute();
    },
    async remove(tx, id) {
      await tx.deleteFrom('settings').where('section', '=', key(id)).execute();
    },
    ...more,
  };
  return section;
}

const colour: ConfigSection = {
  kind: 'setting',
  member: 'colour',
  schema: Type.Partial(
    Type.Object({ name: Type.String({ default: 'grey' }), depth: Type.Integer({ default: 8, maximum: 16 }) }),
    { ...strict, default: {} },
  ),
  check: (value) =>
    (value as { name: string }).name === 'plaid' ? [{ path: 'name', message: 'is no colour' }] : [],
};

const boxes = collection(
  'boxes',
  Type.Object(
    { id: Type.String(), size: Type.Integer({ default: 1 }), key: Type.Optional(Type.String()) },
    strict,
  ),
);

const things = collection('things', Type.Object({ id: Type.String(), box: Type.String() }, strict), {
  check: ({ resolved }, candidate) =>
    candidate.collection('boxes').has(String(resolved.box))
      ? []
      : [{ path: 'box', message: `names no box: '${resolved.box}'` }],
});

/** Created once, and slow to make. */
const people = collection('people', Type.Object({ id: Type.String() }, strict), {
  createOnly: true,
  async same(db, { resolved }) {
    const rows = await db
      .selectFrom('settings')
      .select('section')
      .where('section', '=', `people/${resolved.id}`)
      .execute();
    return rows.length > 0;
  },
  prepare: async ({ raw, resolved }) => ({ raw, resolved: { ...resolved, prepared: true } }),
});

export const sections: ConfigSection[] = [colour, boxes, things, people];
