import { type RandomSource, systemRandom } from '../lib/ids.ts';
import { sendRiders } from '../storage/index.ts';
import { insertEvents, readHistory } from './store.ts';
import type { Audit } from './types.ts';

export function createAudit(random: RandomSource = systemRandom): Audit {
  return {
    async record(db, at, events) {
      if (events.length > 0) await sendRiders(db, [insertEvents(at, events, random)]);
    },
    history: readHistory,
    riders: (_db, at, events) => (events.length > 0 ? [insertEvents(at, events, random)] : []),
  };
}
