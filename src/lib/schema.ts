import type * as TypeBox from 'typebox';

export type { Static, TSchema } from 'typebox';

type Member = Record<string, unknown>;
type Options = Record<string, unknown>;

/** Members that may be left out. The mark is no part of the schema: it says what the object around it requires. */
const optional = new WeakSet<Member>();

const Optional = (member: Member): Member => {
  const marked = { ...member };
  optional.add(marked);
  return marked;
};

const ObjectOf = (properties: Record<string, Member>, options: Options = {}): Member => {
  const required = Object.keys(properties).filter((name) => !optional.has(properties[name] as Member));
  return { type: 'object', ...(required.length > 0 && { required }), properties, ...options };
};

const Partial = ({ properties }: Member, options: Options = {}): Member => {
  const members = Object.entries(properties as Record<string, Member>);
  return ObjectOf(Object.fromEntries(members.map(([name, member]) => [name, Optional(member)])), options);
};

const builders = {
  Array: (items: Member, options: Options = {}) => ({ type: 'array', items, ...options }),
  Boolean: (options: Options = {}) => ({ type: 'boolean', ...options }),
  Enum: (values: unknown[], options: Options = {}) => ({ enum: values, ...options }),
  Integer: (options: Options = {}) => ({ type: 'integer', ...options }),
  Object: ObjectOf,
  Optional,
  Partial,
  Record: (key: Member, value: Member, options: Options = {}) => ({
    ...{ type: 'object', patternProperties: { [String(key.pattern ?? '^.*$')]: value } },
    ...options,
  }),
  String: (options: Options = {}) => ({ type: 'string', ...options }),
  Union: (anyOf: Member[], options: Options = {}) => ({ anyOf, ...options }),
  Unknown: (options: Options = {}) => ({ ...options }),
  Unsafe: (schema: Member) => ({ ...schema }),
};

/**
 * JSON Schemas with TypeBox's types: what is written once is checked at run time and known to the compiler. The library
 * itself has 370 files that every start would load, and for what is used here it makes no more than these objects.
 */
export const Type = builders as unknown as Pick<typeof TypeBox, keyof typeof builders>;
