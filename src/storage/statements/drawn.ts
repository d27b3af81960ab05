import {
  CompiledQuery,
  DummyDriver,
  type Expression,
  Kysely,
  type OperationNodeSource,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  RawNode,
  ValueNode,
} from 'kysely';
import type { Database, Db } from '../types.ts';

/**
 * Statements that are drawn up once. Building, parsing and compiling one costs more than anything else that is done with
 * it here, so those on the way of a login are built at their first use, with slots where values will stand, and are text
 * and a list of values from then on.
 */

/** Stands in a drawn statement for a value that comes with each use. */
export interface Slot<T> extends Expression<T> {
  readonly [slotted]: Place;
}

/** A slot for each member; they are named one by one (`slots.id`), never spread. */
export type Slots<Values> = { readonly [Name in keyof Values]: Slot<Values[Name]> };

const slotted = Symbol('slot');

/** Where the value comes from. */
interface Place {
  name: string;
  /** Its row, of a statement with rows. */
  row: number | null;
  /** Whether it goes out as JSON. */
  json: boolean;
}

/** The text of a statement between its values, and what those are. */
interface Drawing {
  id: number;
  /** As a statement by itself. */
  text: string;
  fragments: string[];
  parameters: Parameter[];
}

/** One of the statement's own has no place. */
type Parameter = { place: Place } | { place: null; value: unknown };

/** A drawn statement with its values, to go out within another one. */
export interface Filled extends OperationNodeSource {
  readonly drawing: Drawing;
  readonly values: unknown[];
}

type More<Row> = [Row] extends [never] ? [] : [rows: readonly Row[]];

/** A statement that is drawn up once; called, a part of another statement (`Rider`, `Guard`). */
export interface Drawn<Values, Output, Row = never> {
  (values: Values, ...rows: More<Row>): Filled;
  /** Sends it by itself. */
  execute(db: Db, values: Values, ...rows: More<Row>): Promise<Output[]>;
  first(db: Db, values: Values, ...rows: More<Row>): Promise<Output | undefined>;
}

/**
 * `build` is called at the first use. What it writes itself stays as it is for ever; what differs from use to use is a
 * slot. A list is given as `rows`: their number is part of the text, so it is drawn once for each number. `json` of
 * this folder takes a slot too.
 */
export function drawn<Values extends object, Output, Row extends object = never>(
  build: (db: Db, slots: Slots<Values>, rows: Slots<Row>[]) => { compile(db: Db): CompiledQuery<Output> },
): Drawn<Values, Output, Row> {
  const drawings = new Map<number, Drawing>();

  function drawingOf(count: number): Drawing {
    const known = drawings.get(count);
    if (known) return known;
    const rows = Array.from({ length: count }, (_, row) => slotsOf<Row>(row));
    const made = draw(build(drawingDb(), slotsOf<Values>(null), rows).compile(drawingDb()));
    drawings.set(count, made);
    return made;
  }

  function fill(values: Values, ...[rows = []]: More<Row>): Filled {
    const drawing = drawingOf(rows.length);
    const given = valuesOf(drawing.parameters, values, rows);
    return { drawing, values: given, toOperationNode: () => nodeOf(drawing, given) };
  }

  async function execute(db: Db, values: Values, ...rows: More<Row>): Promise<Output[]> {
    const { drawing, values: given } = fill(values, ...rows);
    return (await db.executeQuery(CompiledQuery.raw(drawing.text, given) as CompiledQuery<Output>)).rows;
  }

  return Object.assign(fill, {
    execute,
    first: async (db: Db, values: Values, ...rows: More<Row>) => (await execute(db, values, ...rows))[0],
  });
}

export const isFilled = (part: object): part is Filled => 'drawing' in part;

export const isSlot = (value: unknown): value is Slot<unknown> =>
  typeof value === 'object' && value !== null && slotted in value;

/** The slot, for a value that goes out as JSON. */
export const asJson = (slot: Slot<unknown>): Slot<string> => createSlot({ ...slot[slotted], json: true });

/** Its text with parameters numbered from `first` on. */
export const numbered = ({ fragments }: Drawing, first: number): string =>
  fragments.reduce((text, fragment, n) => `${text}$${first + n - 1}${fragment}`);

let db: Db | undefined;

/** Compiles like the real ones and has no connection. */
function drawingDb(): Db {
  db ??= new Kysely<Database>({
    dialect: {
      createAdapter: () => new PostgresAdapter(),
      createDriver: () => new DummyDriver(),
      createIntrospector: (handle) => new PostgresIntrospector(handle),
      createQueryCompiler: () => new PostgresQueryCompiler(),
    },
  });
  return db;
}

function createSlot<T>(place: Place): Slot<T> {
  const slot: Slot<T> = {
    [slotted]: place,
    expressionType: undefined,
    toOperationNode: () => ValueNode.create(slot),
  };
  return slot;
}

const slotsOf = <Values extends object>(row: number | null): Slots<Values> =>
  new Proxy({} as Slots<Values>, {
    get: (_, name) => createSlot({ name: String(name), row, json: false }),
    ownKeys: () => {
      throw new Error('slots are named one by one: their names are not known');
    },
  });

let drawings = 0;

function draw({ parameters, sql: text }: CompiledQuery<unknown>): Drawing {
  // Text and numbers take turns.
  const pieces = text.split(/\$(\d+)/);
  const fragments = pieces.filter((_, n) => n % 2 === 0);
  const inOrder = pieces.every((piece, n) => n % 2 === 0 || Number(piece) === (n + 1) / 2);
  if (!inOrder || fragments.length !== parameters.length + 1) {
    throw new Error(`a drawn statement has its parameters once each and in order: ${text}`);
  }
  drawings += 1;
  const readings = parameters.map(
    (value): Parameter => (isSlot(value) ? { place: value[slotted] } : { place: null, value }),
  );
  return { id: drawings, text, fragments, parameters: readings };
}

/** A plain loop without destructuring: it runs some three hundred times in a login. */
function valuesOf(parameters: Parameter[], values: object, rows: readonly object[]): unknown[] {
  const given: unknown[] = [];
  for (const parameter of parameters) {
    const { place } = parameter;
    if (place === null) {
      given.push(parameter.value);
      continue;
    }
    const from = place.row === null ? values : rows[place.row];
    const value = from?.[place.name as never] as unknown;
    if (value === undefined) throw new Error(`a drawn statement has got no value for "${place.name}"`);
    given.push(place.json ? JSON.stringify(value) : value instanceof Date ? value.toISOString() : value);
  }
  return given;
}

/** In parentheses of its own, which raw parts of a statement do not get. */
function nodeOf({ fragments }: Drawing, values: unknown[]): RawNode {
  const texts = [...fragments];
  texts[0] = `(${texts[0]}`;
  texts[texts.length - 1] += ')';
  return RawNode.create(
    texts,
    values.map((value) => ValueNode.create(value)),
  );
}
