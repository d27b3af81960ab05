import type { ConfigSection } from '../types.ts';

/** Name of a file without its ending: settings stand together in `gateway`, a collection in a file of its name. */
export const fileOf = (section: ConfigSection): string =>
  section.kind === 'setting' ? 'gateway' : section.member;

const memberSchema = (section: ConfigSection): object =>
  section.kind === 'setting' ? section.schema : { type: 'array', items: section.schema };

/** The schema of each file, by its name without ending. */
export function fileSchemas(sections: readonly ConfigSection[]): Map<string, object> {
  const properties = new Map<string, Record<string, object>>([['gateway', {}]]);
  for (const section of sections) {
    const file = fileOf(section);
    properties.set(file, { ...properties.get(file), [section.member]: memberSchema(section) });
  }
  return new Map(
    [...properties].map(([file, members]) => [
      file,
      { type: 'object', properties: members, additionalProperties: false },
    ]),
  );
}

const referencePattern = '\\$\\{(env:[A-Za-z_]\\w*(:-[^}]*)?|file:/[^}]*)\\}';

/**
 * The schema that editors read. One for all files, because no two files share a member; and a text with a reference
 * is let through wherever a number, a truth value or a text of a certain form is expected.
 */
export function publishedSchema(sections: readonly ConfigSection[]): object {
  const files = fileSchemas(sections);
  const properties = Object.assign(
    {},
    ...[...files.values()].map((file) => (file as { properties: object }).properties),
  );
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Sallyport configuration',
    description: `Members of ${[...files.keys()].map((file) => `${file}.yaml`).join(', ')}.`,
    type: 'object',
    properties: subschemas('properties', properties),
    additionalProperties: false,
    $defs: {
      reference: {
        description: 'A reference to an environment variable or a file.',
        type: 'string',
        pattern: referencePattern,
      },
    },
  };
}

const constrained = ['pattern', 'format', 'enum', 'minLength', 'maxLength'];

/** True for a schema of a scalar that a reference's own text would not satisfy. */
function refusesReference(schema: Record<string, unknown>): boolean {
  if (schema.const !== undefined) return false;
  const types = [schema.type ?? (Array.isArray(schema.enum) ? 'string' : [])].flat();
  if (types.length === 0 || types.includes('object') || types.includes('array')) return false;
  return !types.includes('string') || constrained.some((keyword) => keyword in schema);
}

function withReferences(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(withReferences);
  if (node === null || typeof node !== 'object') return node;
  const schema = node as Record<string, unknown>;
  if (refusesReference(schema)) {
    const { description, default: fallback, ...rest } = schema;
    return {
      ...(description === undefined ? {} : { description }),
      ...(fallback === undefined ? {} : { default: fallback }),
      anyOf: [rest, { $ref: '#/$defs/reference' }],
    };
  }
  return Object.fromEntries(
    Object.entries(schema).map(([keyword, value]) => [
      keyword,
      keyword === 'required' ? requiredByHand(schema, value) : subschemas(keyword, value),
    ]),
  );
}

/** What has a default need not be written, although it is always there afterwards. */
function requiredByHand(schema: Record<string, unknown>, required: unknown): unknown {
  const properties = (schema.properties ?? {}) as Record<string, { default?: unknown }>;
  return (required as string[]).filter((member) => properties[member]?.default === undefined);
}

/** Goes on below the keywords that hold schemas; everything else is data. */
function subschemas(keyword: string, value: unknown): unknown {
  if (['properties', 'patternProperties', '$defs', 'definitions'].includes(keyword)) {
    return Object.fromEntries(
      Object.entries(value as object).map(([name, schema]) => [name, withReferences(schema)]),
    );
  }
  const holders = ['items', 'additionalProperties', 'anyOf', 'oneOf', 'allOf', 'then', 'else'];
  if (holders.includes(keyword)) return withReferences(value);
  return value;
}

/** Members in the order in which the schema names them, for people: `jsonb` has forgotten the one they were written in. */
export function inOrder(value: unknown, schema: unknown): unknown {
  const {
    then,
    items,
    properties = {},
  } = (schema ?? {}) as {
    then?: object;
    items?: unknown;
    properties?: Record<string, unknown>;
  };
  if (then !== undefined) return inOrder(value, then);
  if (Array.isArray(value)) return value.map((item) => inOrder(item, items));
  if (value === null || typeof value !== 'object') return value;
  const given = value as Record<string, unknown>;
  const known = Object.keys(properties).filter((member) => member in given);
  const others = Object.keys(given).filter((member) => !(member in properties));
  return Object.fromEntries(
    [...known, ...others].map((member) => [member, inOrder(given[member], properties[member])]),
  );
}
