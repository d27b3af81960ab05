import { type Expression, type ExpressionBuilder, type SqlBool, sql } from 'kysely';
import type { Slot } from '../../storage/index.ts';
import type { Database, Db, Tx } from '../../storage/types.ts';

/*
 * The two numbers of an account. That a proved one is somebody's at one place only is the database's to say: an index for
 * each of the columns, and a trigger across them.
 */

/** Whether a row has proved one of the numbers, at whichever of its places. */
export const hasProved = (
  where: ExpressionBuilder<Database, 'users'>,
  numbers: string[] | [Slot<string>],
): Expression<SqlBool> =>
  where.or([
    where.and([where('phone', 'in', numbers), where('phone_verified', '=', true)]),
    where('second_phone', 'in', numbers),
  ]);

export async function isSomebodys(db: Db, numbers: string[]): Promise<boolean> {
  if (numbers.length === 0) return false;
  const found = await db
    .selectFrom('users')
    .select('id')
    .where((where) => hasProved(where, numbers))
    .executeTakeFirst();
  return found !== undefined;
}

const uniqueViolation = '23505';

/** Whether the database refused a number, or a name, because another account has it. The transaction is of no more use. */
export const isTaken = (error: unknown): boolean => (error as { code?: string }).code === uniqueViolation;

/**
 * Saves a proven number unless another account has proven it too. Answers whether it was saved; when not, the
 * transaction may be of no more use (the other account won a race) and must be rolled back.
 */
export async function claimNumber(
  tx: Tx,
  id: string,
  number: { phone: string; phone_verified: true } | { second_phone: string },
  now: Date,
): Promise<boolean> {
  try {
    const result = await tx
      .updateTable('users')
      .set({ ...number, updated_at: now })
      .where('id', '=', id)
      .executeTakeFirst();
    return result.numUpdatedRows > 0n;
  } catch (error) {
    if (isTaken(error)) return false;
    throw error;
  }
}

/** The second number takes the place of the first, which goes; without a second there is none. */
export async function removeFirst(tx: Tx, id: string, now: Date): Promise<boolean> {
  const result = await tx
    .updateTable('users')
    .set({
      phone: sql.ref<string>('second_phone'),
      phone_verified: sql<boolean>`second_phone is not null`,
      ...{ second_phone: null, updated_at: now },
    })
    .where('id', '=', id)
    .executeTakeFirst();
  return result.numUpdatedRows > 0n;
}

/** They change places. False where there are no two that are proved. */
export async function swap(tx: Tx, id: string, now: Date): Promise<boolean> {
  const result = await tx
    .updateTable('users')
    .set({
      phone: sql.ref<string>('second_phone'),
      second_phone: sql.ref<string>('phone'),
      updated_at: now,
    })
    .where('id', '=', id)
    .where('second_phone', 'is not', null)
    .where('phone_verified', '=', true)
    .executeTakeFirst();
  return result.numUpdatedRows > 0n;
}
