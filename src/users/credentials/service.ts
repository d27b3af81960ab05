import type { Crypto } from '../../crypto/types.ts';
import { newId, type RandomSource } from '../../lib/ids.ts';
import { happened } from '../../storage/index.ts';
import type { Credential, Credentials, NewCredential, SecretCredential } from '../types.ts';
import {
  type CredentialRow,
  confirming,
  deleteBegun,
  deleteCredential,
  findBegun,
  findCredentials,
  insertCredential,
  noting,
  using,
} from './store.ts';

export function createCredentials(deps: { crypto: Crypto; random: RandomSource }): Credentials {
  const { crypto, random } = deps;

  const opened = (row: CredentialRow): SecretCredential => ({
    ...credentialOf(row),
    counter: row.counter,
    secret: crypto.open('credential', row.sealed, row.id),
    renewed: crypto.renewed('credential', row.sealed, row.id),
  });

  function rowOf({ userId, type, label, data, secret }: NewCredential, now: Date): CredentialRow {
    const id = newId('crd', random);
    return {
      ...{ id, user_id: userId, type, label, data, sealed: crypto.seal('credential', secret, id) },
      ...{ counter: null, session_id: null, created_at: now, confirmed_at: null, last_used_at: null },
      expires_at: null,
    };
  }

  return {
    list: async (db, userId, type) => (await findCredentials(db, userId, type)).map(credentialOf),
    open: async (db, userId, type) => (await findCredentials(db, userId, type)).map(opened),

    async add(tx, credential, counter, now) {
      const row = { ...rowOf(credential, now), counter, confirmed_at: now, last_used_at: now };
      await insertCredential(tx, row);
      return credentialOf(row);
    },

    async begin(tx, credential, { sessionId, expiresAt }, now) {
      const { type, userId } = credential;
      await deleteBegun(tx, { userId, type, sessionId });
      const row = { ...rowOf(credential, now), session_id: sessionId, expires_at: expiresAt };
      await insertCredential(tx, row);
      return opened(row);
    },

    async begun(db, whose, now) {
      const row = await findBegun(db, whose, now);
      return row && opened(row);
    },

    note: (tx, id, from, to) => happened(tx, noting(tx, id, from, to)),
    cancel: deleteBegun,
    confirm: (tx, id, proof, now) => happened(tx, confirming(tx, id, proof, now)),
    using,

    remove: deleteCredential,
  };
}

const credentialOf = (row: CredentialRow): Credential => ({
  id: row.id,
  type: row.type,
  label: row.label,
  data: row.data,
  createdAt: row.created_at,
  lastUsedAt: row.last_used_at,
});
