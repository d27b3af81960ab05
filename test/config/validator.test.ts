/* biome-ignore-all lint/suspicious/noTemplateCurlyInString: references are written like this */
import t from 'tap';
import Type from 'typebox';
import { createCheck, createValidator } from '../../src/config/index.ts';
import { durationPattern } from '../../src/lib/duration.ts';

const strict = { additionalProperties: false };
const options = Type.Object(
  {
    length: Type.Optional(Type.Integer({ minimum: 4, maximum: 10, default: 6 })),
    alphabet: Type.Optional(Type.Enum(['numeric', 'alphanumeric'])),
    expires: Type.Optional(Type.String({ pattern: durationPattern })),
  },
  strict,
);
const schema = Type.Object(
  {
    name: Type.String({ minLength: 1 }),
    on: Type.Boolean({ default: true }),
    home: Type.Optional(Type.String({ format: 'uri' })),
    tags: Type.Array(Type.String(), { default: [], uniqueItems: true }),
    options: Type.Optional(
      Type.Array(
        Type.Union([
          Type.Literal('password'),
          Type.Literal('backup-code'),
          Type.Object({ password: Type.Object({}, strict) }, strict),
          Type.Object({ 'sms-otp': options }, strict),
        ]),
        { minItems: 1 },
      ),
    ),
    provider: Type.Optional(
      Type.Union([
        Type.Object({ preset: Type.Literal('http'), url: Type.String(), port: Type.Integer() }, strict),
        Type.Object({ preset: Type.Literal('simulator') }, strict),
      ]),
    ),
  },
  strict,
);
const validate = createValidator(schema);
const sentences = (value: object, raw: object = value) =>
  validate({ name: 'x', ...value }, { name: 'x', ...raw }).faults.map(
    ({ path, message }) => `${path}: ${message}`,
  );

t.test('each fault is a path and a sentence', (t) => {
  const cases: [value: object, faults: (string | RegExp)[]][] = [
    [{ nmae: 'y' }, ["nmae: is unknown; did you mean 'name'?"]],
    [{ zzz: 1 }, [/^zzz: is unknown; known here: name, on, home/]],
    [{ name: undefined }, ['name: is missing']],
    [{ name: '' }, ['name: may not be empty']],
    [{ name: 12 }, ['name: must be text: put it in quotes']],
    [{ name: null }, ['name: must be text, but is empty']],
    [{ name: ['x'] }, ['name: must be text']],
    [{ on: 'yes' }, ['on: must be true or false']],
    [{ home: 'nowhere' }, ['home: must be a whole URL, with https://']],
    [{ tags: 'a' }, ['tags: must be a list']],
    [{ tags: ['a', 'b', 'a'] }, ['tags: says the same twice (entries 1 and 3)']],
    [{ options: [] }, ['options: needs at least one entry']],
    [{ options: ['sms-otp'] }, [/^options\[0\]: must be one of password, backup-code, .*sms-otp: …/]],
    [{ options: ['pasword'] }, [/^options\[0\]: .*did you mean 'password'\?/]],
    [{ options: [{ 'sms-otpp': {} }] }, [/^options\[0\]: must be one of .*did you mean 'sms-otp'\?/]],
    [
      { options: ['password', { 'sms-otp': { lenght: 6 } }] },
      ["options[1].sms-otp.lenght: is unknown; did you mean 'length'?"],
    ],
    [
      { options: [{ 'sms-otp': { length: 12, alphabet: 'numerc', expires: '5 min' } }] },
      [
        'options[0].sms-otp.length: must be at most 10',
        "options[0].sms-otp.alphabet: must be one of numeric, alphanumeric; did you mean 'numeric'?",
        'options[0].sms-otp.expires: must be a duration such as 30s, 5m, 8h or 30d',
      ],
    ],
    [{ provider: { preset: 'http', url: 'x' } }, ['provider.port: is missing']],
    [{ provider: { preset: 'htp', url: 'x' } }, [/^provider: must be one of http, simulator/]],
    [{ provider: { preset: 'simulator', url: 'x' } }, [/^provider.url: is unknown/]],
  ];
  for (const [value, expected] of cases) {
    const found = sentences(value);
    t.match(found, expected, JSON.stringify(value));
    t.equal(found.length, expected.length, 'and nothing else');
  }
  t.end();
});

t.test('defaults are filled in, and nothing that was given is changed', (t) => {
  const given = { name: 'x' };
  t.strictSame(validate(given), { value: { name: 'x', on: true, tags: [] }, faults: [] });
  t.strictSame(given, { name: 'x' });
  t.end();
});

t.test('a reference may stand for a number or a truth value; a plain text may not', (t) => {
  const raw = { on: '${env:ON}', provider: { preset: 'http', url: 'x', port: '${env:PORT}' } };
  const resolved = { name: 'x', on: 'false', provider: { preset: 'http', url: 'x', port: '8080' } };
  t.match(validate(resolved, { name: 'x', ...raw }), {
    value: { on: false, provider: { port: 8080 } },
    faults: [],
  });
  t.strictSame(sentences({ on: 'false' }), ['on: must be true or false']);
  t.strictSame(sentences({ on: 'perhaps' }, { on: '${env:ON}' }), ['on: must be true or false']);
  t.end();
});

t.test('a check says the same as the validator, and leaves the value alone', (t) => {
  const schema = Type.Object({ code: Type.Optional(Type.String({ maxLength: 4 })) });
  const [check, judge] = [createCheck(schema), createValidator(schema)];
  for (const [value, right] of [
    [{ code: '1234' }, true],
    [{}, true],
    [{ code: '12345' }, false],
    [{ code: 1234 }, false],
  ] as const) {
    const given = structuredClone(value);
    t.equal(check(value), right, JSON.stringify(value));
    t.equal(judge(value).faults.length === 0, right);
    t.strictSame(value, given);
  }
  t.end();
});
