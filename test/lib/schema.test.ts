import t from 'tap';
import * as TypeBox from 'typebox';
import { Type } from '../../src/lib/schema.ts';

/** Each written once and built by both. */
const schemas: Record<string, (type: typeof Type) => object> = {
  scalars: (type) =>
    type.Object({
      text: type.String({ minLength: 1, description: 'Words.' }),
      count: type.Integer({ default: 3 }),
      on: type.Boolean(),
      any: type.Unknown(),
      kind: type.Enum(['a', 'b'], { default: 'a' }),
    }),
  'members that may be left out': (type) =>
    type.Object(
      { needed: type.String(), spare: type.Optional(type.Array(type.String(), { minItems: 1 })) },
      { additionalProperties: false, default: {} },
    ),
  'nothing required': (type) =>
    type.Object({ spare: type.Optional(type.Unsafe<string>({ enum: [1, '1'] })) }),
  'all that may be left out': (type) =>
    type.Partial(
      type.Object({ one: type.String({ default: 'x' }), two: type.Object({ three: type.Integer() }) }),
      {
        additionalProperties: false,
      },
    ),
  records: (type) =>
    type.Object({
      plain: type.Record(type.String(), type.Unknown()),
      keyed: type.Record(type.String({ pattern: '^[a-z]+$' }), type.String(), { default: {} }),
    }),
  choices: (type) => type.Union([type.Array(type.String()), type.String()], { description: 'One or many.' }),
};

t.test('schemas are those of TypeBox, to the order of their members', (t) => {
  for (const [name, build] of Object.entries(schemas)) {
    t.equal(JSON.stringify(build(Type)), JSON.stringify(build(TypeBox as typeof Type)), name);
  }
  t.end();
});

t.test('a schema that is used in two objects is marked in neither', (t) => {
  const name = Type.String();
  t.match(Type.Object({ name: Type.Optional(name) }), { required: undefined });
  t.match(Type.Object({ name }), { required: ['name'] });
  t.end();
});
