interface Schema {
  default?: unknown;
  properties?: Record<string, Schema>;
  items?: Schema;
  additionalProperties?: Schema | boolean;
}

/**
 * The value with what is absent filled in, as the validator fills it, but without its judgement: settings were judged
 * before they were stored, and making a validator takes a server longer than everything else it does with them.
 */
export function filled(schema: object, given: unknown): unknown {
  const { default: fallback } = schema as Schema;
  const value = structuredClone(given ?? fallback ?? {});
  fill(schema, value);
  return value;
}

function fill({ properties = {}, items, additionalProperties }: Schema, value: unknown): void {
  if (Array.isArray(value)) {
    if (items) for (const item of value) fill(items, item);
    return;
  }
  if (value === null || typeof value !== 'object') return;
  const members = value as Record<string, unknown>;
  for (const [name, schema] of Object.entries(properties)) {
    if (members[name] === undefined && schema.default !== undefined) {
      members[name] = structuredClone(schema.default);
    }
  }
  for (const [name, member] of Object.entries(members)) {
    const schema = properties[name] ?? additionalProperties;
    if (typeof schema === 'object') fill(schema, member);
  }
}
