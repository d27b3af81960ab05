import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import t from 'tap';
import { parse } from 'yaml';
import { demoFolder, root, sallyport } from './support.ts';

const examples = join(root, 'config');
const published = readFileSync(join(examples, 'schema.json'), 'utf8');

/** What stands behind the references of the examples. */
const variables = {
  SHOP_SECRET: '0123456789abcdef0123',
  SMS_TOKEN: 'token',
  ADA_PASSWORD: 'plain words are fine',
  GRACE_PASSWORD_HASH: '$2b$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy',
};

t.test('config/schema.json is what the code says (npm run schema writes it)', async (t) => {
  const { output } = await sallyport({}, ['config', 'schema']);
  t.strictSame(JSON.parse(published), JSON.parse(output));
});

t.test('editors accept the examples and the demo, and find what is wrong', async (t) => {
  const validate = addFormats.default(new Ajv({ strict: false })).compile(JSON.parse(published));
  for (const folder of [examples, demoFolder]) {
    for (const file of readdirSync(folder).filter((name) => name.endsWith('.yaml'))) {
      const text = readFileSync(join(folder, file), 'utf8');
      t.ok(validate(parse(text)), `${file}: ${JSON.stringify(validate.errors)}`);
      t.match(text, /^# yaml-language-server: \$schema=(\.\.\/)?schema\.json\n/, 'it names its schema');
    }
  }
  t.equal(
    validate({ apps: [{ id: 'a', name: 'A', redirectUris: ['https://a.example/'], flow: 'f', pkce: 'no' }] }),
    false,
  );
  t.equal(validate({ otp: { length: 'six' } }), false);
  t.equal(validate({ otp: { length: '\u0024{env:LENGTH:-6}' } }), true, 'a reference may stand for a number');
  t.equal(validate({ ottp: {} }), false);
});

t.test('the examples and the demo are without fault', async (t) => {
  t.match(await sallyport(variables, ['config', 'validate', examples]), { code: 0, errors: '' });
  t.match(await sallyport({}, ['config', 'validate', demoFolder]), { code: 0, errors: '' });
});
