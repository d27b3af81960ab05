import Provider, { type Adapter, type AdapterPayload, errors } from 'oidc-provider';
import type { Crypto } from '../../crypto/types.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Counters, Db } from '../../storage/types.ts';
import { keepPace } from '../adapters/pace.ts';
import { findArtifact, type NewArtifact } from '../store.ts';
import { AlreadyUsed, type Units } from '../unit.ts';
import { answerDevice } from './store.ts';

/** In place of a device code where only the user's code is known: the hash behind this sign. */
const mark = '#';
/** On these the person answers. The token endpoint must not take a hash for the secret. */
const personRoutes = new Set(['code_verification', 'device_resume']);

export interface DeviceAdapterDeps {
  db: Db;
  clock: Clock;
  counters: Counters;
  crypto: Crypto;
  units: Units;
  /** What a code of another kind is kept by. */
  codes: Adapter;
  rowOf(
    model: string,
    secret: string,
    payload: AdapterPayload,
    expiresIn: number | undefined,
    now: Date,
  ): NewArtifact;
}

/**
 * Device codes (RFC 8628). Two rows each: the code, hashed, and the short code that people type, which points to it and
 * is kept under a keyed hash because it can be guessed from a plain one.
 */
export function createDeviceAdapter(deps: DeviceAdapterDeps): Adapter {
  const { db, clock, crypto, units, codes } = deps;
  const userCodeKey = (userCode: string) => crypto.mac('device', 'user-code', userCode);

  async function byHash(idHash: string): Promise<AdapterPayload | undefined> {
    const row = await findArtifact(db, idHash);
    if (row?.model !== 'DeviceCode') return undefined;
    const consumed = row.consumed_at === null ? {} : { consumed: true };
    return { ...(row.payload as AdapterPayload), jti: `${mark}${idHash}`, ...consumed };
  }

  return {
    ...codes,
    async upsert(id, payload, expiresIn) {
      const now = clock.now();
      const { userCode, ...rest } = payload;
      const row = deps.rowOf('DeviceCode', id, rest, expiresIn, now);
      if (id.startsWith(mark)) {
        units.current().writes.push(async (tx) => {
          if (!(await answerDevice(tx, { ...row, id_hash: id.slice(mark.length) })))
            throw new AlreadyUsed(answered());
        });
        return;
      }
      await keepPace(deps, 'device');
      const pointer = { ...row, id_hash: userCodeKey(String(userCode)), model: 'UserCode' };
      units.current().inserts.push(row, { ...pointer, payload: { device: row.id_hash } });
    },
    find: async (id) => {
      if (!id.startsWith(mark)) return codes.find(id);
      return personRoutes.has(Provider.ctx?.oidc.route ?? '') ? byHash(id.slice(mark.length)) : undefined;
    },
    async findByUserCode(userCode) {
      const pointer = await findArtifact(db, userCodeKey(userCode));
      if (pointer?.model !== 'UserCode') return undefined;
      const payload = await byHash(String(pointer.payload.device));
      return payload && { ...payload, userCode };
    },
  };
}

/** Of two answers to one device the first counts; only a page can say so to the second. */
function answered(): Error {
  const error = new errors.SessionNotFound('this device has been answered already');
  error.allow_redirect = false;
  return error;
}
