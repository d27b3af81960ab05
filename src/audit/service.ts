import { type RandomSource, systemRandom } from '../lib/ids.ts';
import { insertEvents, readHistory } from './store.ts';
import type { Audit } from './types.ts';

export function createAudit(random: RandomSource = systemRandom): Audit {
  return {
    async record(db, at, events) {
      if (events.length > 0) await insertEvents(db, at, events, random).execute();
    },
    history: readHistory,
    riders: (db, at, events) => (events.length > 0 ? [insertEvents(db, at, events, random)] : []),
  };
}
