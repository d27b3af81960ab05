import { sql } from 'kysely';
import { json } from '../../storage/index.ts';
import type { Tx } from '../../storage/types.ts';
import type { NewArtifact } from '../store.ts';

/**
 * Writes down how far a device has come: being answered (`inFlight`), allowed (with its user) or refused (`error`).
 * False when it has come that far before.
 */
export async function answerDevice(tx: Tx, row: NewArtifact): Promise<boolean> {
  const { payload, user_id, grant_id, session_id } = row;
  let update = tx
    .updateTable('oidc_artifacts')
    .set({ payload: json(payload), user_id, grant_id, session_id })
    .where('id_hash', '=', row.id_hash)
    .where('model', '=', 'DeviceCode')
    .where('user_id', 'is', null)
    .where('consumed_at', 'is', null)
    .where(sql<boolean>`payload ->> 'error' is null`);
  if (user_id === null && payload.error === undefined) {
    update = update.where(sql<boolean>`payload ->> 'inFlight' is null`);
  }
  return (await update.returning('id_hash').executeTakeFirst()) !== undefined;
}
