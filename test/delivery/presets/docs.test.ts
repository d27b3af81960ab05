import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import t from 'tap';
import { parse } from 'yaml';
import { createReferences, createValidator } from '../../../src/config/index.ts';
import type { Candidate } from '../../../src/config/types.ts';
import { providersSection } from '../../../src/delivery/index.ts';
import { presets } from '../../../src/delivery/presets/index.ts';
import { crypto } from '../service-support.ts';

/* Whatever stands in docs/providers.md can be pasted: every example passes the checks of the configuration. */

const text = readFileSync(new URL('../../../docs/providers.md', import.meta.url), 'utf8');
const blocks = [...text.matchAll(/^```yaml\n(.*?)^```/gms)].map(([, block]) => parse(block ?? ''));
const providers = blocks.flatMap((block) => block.providers as Record<string, unknown>[]);

const { privateKey } = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  publicKeyEncoding: { type: 'spki', format: 'pem' },
});

/** Every variable that the examples name is set, and every file is a key. */
const names = [...text.matchAll(/\$\{env:(\w+)/g)].map(([, name]) => name ?? '');
const secret = `whsec_${Buffer.alloc(32, 1).toString('base64')}`;
const references = createReferences(
  Object.fromEntries(names.map((name) => [name, secret])),
  () => privateKey,
);
const section = providersSection({ crypto, references, revisions: { bump: async () => undefined } });

t.test('every example can be used as it is', async (t) => {
  const validate = createValidator(section.schema);
  for (const raw of providers) {
    const { value, faults } = references.resolve(raw);
    t.same(faults, [], `${raw.id}: references`);
    t.same(validate(value, raw).faults, [], `${raw.id}: schema`);
    t.same(section.check?.({ raw, resolved: raw }, {} as Candidate), [], `${raw.id}: what the preset says`);
  }
  t.same(new Set(providers.map(({ id }) => id)).size, providers.length, 'ids');
});

t.test('every preset has an example, and a row that names its options', async (t) => {
  const everywhere = ['baseUrl', 'timeout', 'allowPrivateNetwork', 'proxy'];
  for (const { id, options } of presets) {
    const row = text.split('\n').find((line) => line.startsWith(`| \`${id}\` |`)) ?? '';
    t.not(row, '', `${id} has a row`);
    if (id === 'simulator') continue;
    t.ok(
      providers.some(({ preset }) => preset === id),
      `${id} has an example`,
    );
    if (id === 'http' || row.includes('as above')) continue;
    const { properties } = options as unknown as { properties: Record<string, unknown> };
    for (const name of Object.keys(properties)) {
      if (!everywhere.includes(name)) t.ok(row.includes(`\`${name}\``), `${id}: ${name}`);
    }
  }
});
