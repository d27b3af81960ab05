import t from 'tap';
import { createSections } from '../../src/app.ts';
import { createValidator, readEnvironment } from '../../src/config/index.ts';
import { filled } from '../../src/config/validation/defaults.ts';

const environment = readEnvironment({ DATA_DIR: 'memory://', NODE_ENV: 'production' });

t.test('settings get the defaults that the validator would give them', async (t) => {
  for (const section of await createSections(environment)) {
    if (section.kind !== 'setting') continue;
    const { member, schema } = section;
    const validate = createValidator({
      type: 'object',
      properties: { value: { default: {}, ...schema } },
    });
    const judged = (given?: unknown) =>
      (validate(given === undefined ? {} : { value: given }).value as { value: unknown }).value;
    const whole = judged();
    t.strictSame(filled(schema, undefined), whole, member);
    if (whole === null || typeof whole !== 'object' || Array.isArray(whole)) continue;
    t.strictSame(filled(schema, {}), judged({}), `${member}: nothing said`);
    for (const [name, value] of Object.entries(whole)) {
      t.strictSame(filled(schema, { [name]: value }), judged({ [name]: value }), `${member}.${name} alone`);
      if (value === null || typeof value !== 'object' || Array.isArray(value)) continue;
      t.strictSame(filled(schema, { [name]: {} }), judged({ [name]: {} }), `${member}.${name}: nothing said`);
    }
  }
});

t.test('what was given stays as it was, lists of groups too', (t) => {
  const one = { type: 'object', properties: { size: { type: 'integer', default: 3 } } };
  const schema = {
    type: 'object',
    properties: { list: { type: 'array', items: one } },
    additionalProperties: one,
  };
  const given = { list: [{}, { size: 5 }], other: {} };
  t.strictSame(filled(schema, given), { list: [{ size: 3 }, { size: 5 }], other: { size: 3 } });
  t.strictSame(given, { list: [{}, { size: 5 }], other: {} });
  t.end();
});
