import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { parse } from 'yaml';
import { createReferences, createValidator } from '../../src/config/index.ts';
import type { Candidate } from '../../src/config/types.ts';
import { providersSection } from '../../src/delivery/index.ts';
import { crypto } from './service-support.ts';

const references = createReferences({});
const section = providersSection({ crypto, references, revisions: { bump: async () => {} } });

t.test('what the documentation shows is a valid provider', async (t) => {
  const text = readFileSync(join(import.meta.dirname, '../../docs/own-gateway.md'), 'utf8');
  const blocks = [...text.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, yaml = '']) => parse(yaml));
  t.ok(blocks.length > 0);
  for (const raw of blocks.flatMap(({ providers }) => providers as Record<string, unknown>[])) {
    const { value: resolved } = references.resolve(raw);
    t.strictSame(createValidator(section.schema)(resolved, raw).faults, [], String(raw.id));
    t.strictSame(section.check?.({ raw, resolved }, {} as Candidate), [], String(raw.id));
    t.strictSame(section.advise?.({ raw, resolved }, []), [], String(raw.id));
  }
});
