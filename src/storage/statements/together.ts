import { CompiledQuery, createQueryId, type OperationNodeSource, ParensNode, RawNode } from 'kysely';
import type { Db, Tx } from '../types.ts';
import { type Filled, isFilled, numbered } from './drawn.ts';

/**
 * A write that goes out within another statement instead of in one of its own: a round trip less. It sees nothing of
 * that statement and happens whether or not that one finds a row, so the caller rolls back where that matters.
 */
export type Rider = OperationNodeSource;

/** A write that only counts when it finds its row; with `returning`, so that this can be told. */
export type Guard = Rider;

/** What is asked of a statement that consists of riders and guards, by the number of its guards. */
const questions = {
  sent: () => '1',
  /** The one way to undo a statement from within, without a function in the database: an error. */
  all: (guards: number) => `1 / least(${guards === 0 ? '1' : counts(guards)})`,
  n: (guards: number) => counts(guards),
};

const counts = (guards: number): string =>
  Array.from({ length: guards }, (_, n) => `(select count(*) from "guard_${n}")`).join(', ');

/** Statements that were put together of drawn ones, by what they consist of. */
const composed = new Map<string, string>();
/** There are as many as there are ways through a login; beyond that, something makes them up. */
const MOST_COMPOSED = 500;

/** Riders and then guards that go out as one statement (PostgreSQL, 7.8.4: data-modifying statements in WITH). */
interface Together {
  parts: Rider[];
  riders: number;
  question: keyof typeof questions;
}

const before = ({ riders }: Together, n: number): string =>
  `${n === 0 ? 'with ' : ', '}"${n < riders ? `rider_${n}` : `guard_${n - riders}`}" as `;

const behind = ({ parts, riders, question }: Together): string =>
  `${parts.length > 0 ? ' ' : ''}select ${questions[question](parts.length - riders)} as "${question}"`;

async function send(db: Db, riders: Rider[], guards: Guard[], question: keyof typeof questions) {
  const parts = [...riders, ...guards];
  const together = { parts, riders: riders.length, question };
  const query = parts.every(isFilled) ? compose(together, parts) : compile(db, together);
  const { rows } = await db.executeQuery(query as CompiledQuery<Record<string, number>>);
  return rows[0]?.[question] ?? 0;
}

function compose(together: Together, parts: Filled[]): CompiledQuery {
  const ids = parts.map(({ drawing }) => drawing.id).join(' ');
  const key = `${together.question} ${together.riders} ${ids}`;
  let text = composed.get(key);
  if (text === undefined) {
    let first = 1;
    text = '';
    for (const [n, { drawing }] of parts.entries()) {
      text += `${before(together, n)}(${numbered(drawing, first)})`;
      first += drawing.parameters.length;
    }
    text += behind(together);
    if (composed.size < MOST_COMPOSED) composed.set(key, text);
  }
  const values = parts.flatMap((part) => part.values);
  return CompiledQuery.raw(text, values);
}

/** Where not all of them are drawn up. */
function compile(db: Db, together: Together): CompiledQuery {
  const nodes = together.parts.map((part) => part.toOperationNode());
  const query = RawNode.create(
    [...nodes.map((_, n) => before(together, n)), behind(together)],
    // Raw ones bring their parentheses.
    nodes.map((node) => (RawNode.is(node) ? node : ParensNode.create(node))),
  );
  return db.getExecutor().compileQuery(query, createQueryId());
}

/** Sends riders that have no other statement to go with. */
export async function sendRiders(db: Db, riders: Rider[]): Promise<void> {
  await send(db, riders, [], 'sent');
}

const DIVISION_BY_ZERO = '22012';

/**
 * Guards and riders as one statement, which is a transaction without the round trips of one: all of it happens, or
 * nothing at all when a guard finds no row. Guards take their rows in the order given. Of many at once exactly one gets
 * true. Within a transaction that one is of no more use after a false.
 */
export async function writeTogether(db: Db, guards: Guard[], riders: Rider[]): Promise<boolean> {
  try {
    await send(db, riders, guards, 'all');
    return true;
  } catch (error) {
    if ((error as { code?: string }).code === DIVISION_BY_ZERO) return false;
    throw error;
  }
}

/** One guard alone, for a transaction: whether it found its row. */
export const happened = async (tx: Tx, guard: Guard): Promise<boolean> =>
  (await send(tx, [], [guard], 'n')) > 0;
