import { sql } from 'kysely';
import type { PersonalRows, Tx } from '../storage/types.ts';

/** Removes what the tables keep of a user, or takes out of it what tells of a person. */
export async function erase(tx: Tx, userId: string, all: readonly PersonalRows[]): Promise<void> {
  for (const { column = 'user_id', emptied, table } of all) {
    const whose = sql`where ${sql.ref(column)} = ${userId}`;
    if (emptied === undefined) await sql`delete from ${sql.table(table)} ${whose}`.execute(tx);
    else {
      const nothing = sql.join(emptied.map((name) => sql`${sql.ref(name)} = null`));
      await sql`update ${sql.table(table)} set ${nothing} ${whose}`.execute(tx);
    }
  }
}
