import { generateKeyPair } from 'node:crypto';
import { promisify } from 'node:util';
import t, { type Test } from 'tap';
import { createCrypto, createKeyRotation, createSigningKeys } from '../../src/crypto/index.ts';
import type { RotateHow } from '../../src/crypto/types.ts';
import type { Storage } from '../../src/storage/types.ts';
import { forEachDatabase, postgresOnly } from '../helpers/database.ts';

const crypto = createCrypto([{ id: 'k1', bytes: Buffer.alloc(32, 1) }]);
const generate = promisify(generateKeyPair);
/** Small ones: what they are worth is not what is tested here. */
const pairs = {
  ES256: () => generate('ec', { namedCurve: 'P-256' }),
  RS256: () => generate('rsa', { modulusLength: 512 }),
};
const DAY = 86_400_000;
const start = new Date('2025-01-01T12:00:00Z').getTime();

/** Keys that sign for 90 days, are published for 1 day before, and stay for 30 days. */
function open(storage: Storage) {
  const settings = { rotateEveryMs: 90 * DAY, publishAheadMs: DAY, keepMs: 30 * DAY };
  let now = start;
  const clock = { now: () => new Date(now) };
  const events: RotateHow[] = [];
  const rotation = createKeyRotation({
    crypto,
    clock,
    storage,
    policy: () => settings,
    pairs,
    onRotated: async (_tx, how) => void events.push(how),
  });
  return {
    rotation,
    settings,
    events,
    load: () => createSigningKeys({ crypto, clock }).load(storage.db),
    to: (days: number) => {
      now = start + days * DAY;
    },
    /** `signing next old …` of ES256, each by its place in `kids`, in the order of appearance. */
    async line(kids: string[]): Promise<string> {
      const keys = (await rotation.list()).filter(({ alg }) => alg === 'ES256');
      const order = ['signing', 'next', 'old'];
      keys.sort((a, b) => order.indexOf(a.state) - order.indexOf(b.state));
      return keys
        .map(({ kid, state }) => {
          if (!kids.includes(kid)) kids.push(kid);
          return `${state} ${kids.indexOf(kid)}`;
        })
        .join(', ');
    },
  };
}

t.test(
  'by themselves: a successor is always published, and what it replaced stays for a while',
  async (t) => {
    await forEachDatabase(t, async (t, storage) => {
      const { rotation, load, to, line } = open(storage);
      const kids: string[] = [];
      for (const [day, expected] of [
        [0, 'signing 0, next 1'],
        [89.9, 'signing 0, next 1'],
        [90, 'signing 1, next 2, old 0'],
        [119.9, 'signing 1, next 2, old 0'],
        [120, 'signing 1, next 2'],
        [180, 'signing 2, next 3, old 1'],
        // A gateway that was off for a year goes on where it stood, and nothing signs unannounced.
        [545, 'signing 3, next 4'],
        [546, 'signing 4, next 5, old 3'],
      ] as const) {
        to(day);
        await rotation.maintain();
        t.equal(await line(kids), expected, `day ${day}`);
        const es256 = (await load()).filter(({ alg }) => alg === 'ES256').map(({ kid }) => kids.indexOf(kid));
        t.equal(
          `signing ${es256[0]}`,
          expected.split(',')[0],
          'the first of the loaded ones is the one that signs',
        );
      }
    });
  },
);

t.test('asked for: the successor signs at once when it is known already', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    const { rotation, settings, events, to, line } = open(storage);
    const kids: string[] = [];
    await rotation.maintain();
    t.equal(await line(kids), 'signing 0, next 1');
    t.equal((await rotation.rotate('planned')).length, 6);
    t.equal(await line(kids), 'signing 1, next 2, old 0', 'both were published from the beginning');

    to(0.5);
    await rotation.rotate('planned');
    t.equal(await line(kids), 'signing 1, next 2, old 0', 'not before the day is over');
    await rotation.rotate('planned');
    t.strictSame(events, ['planned', 'planned'], 'asking once more changes nothing');
    to(1);
    t.equal(await line(kids), 'signing 2, old 1, old 0', 'it has been published for a day');
    await rotation.maintain();
    t.equal(await line(kids), 'signing 2, next 3, old 1, old 0');

    to(1.1);
    await rotation.rotate('now');
    t.equal(await line(kids), 'signing 3, next 4, old 2, old 1, old 0', 'in a hurry');

    settings.rotateEveryMs = 2 * DAY;
    to(2);
    await rotation.maintain();
    to(3.1);
    t.equal(await line(kids), 'signing 4, old 3, old 2, old 1, old 0', 'a shorter time holds at once');
  });
});

t.test('leaked: nothing of before is published or signs', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    const { rotation, events, load, line } = open(storage);
    const kids: string[] = [];
    await rotation.maintain();
    await rotation.rotate('now');
    t.equal(await line(kids), 'signing 0, next 1, old 2');
    await rotation.rotate('leaked');
    t.equal(await line(kids), 'signing 3, next 4');
    t.equal((await load()).length, 4);
    t.strictSame(events, ['now', 'leaked']);
  });
});

/** Sixteen at once, as from as many instances. */
async function atOnce(t: Test, storage: Storage, how: RotateHow): Promise<void> {
  const { rotation, events } = open(storage);
  await rotation.maintain();
  await Promise.all(Array.from({ length: 16 }, () => rotation.rotate(how)));
  t.ok(events.length >= 1, `${events.length} found something to do`);
  const keys = await rotation.list();
  for (const alg of ['ES256', 'RS256']) {
    const states = keys.filter((key) => key.alg === alg).map(({ state }) => state);
    // One that came after the others finds a successor that is too young: one step is taken, whoever asks.
    t.strictSame(states, how === 'leaked' ? ['next', 'signing'] : ['next', 'signing', 'old'], alg);
  }
}

for (const how of ['planned', 'leaked'] as const) {
  t.test(`sixteen rotations at once (${how})`, async (t) => {
    await postgresOnly(t, (t, storage) => atOnce(t, storage, how));
  });
}

t.test('sixteen instances that start together agree on the same keys', async (t) => {
  await postgresOnly(t, async (t, storage) => {
    await Promise.all(Array.from({ length: 16 }, () => open(storage).rotation.maintain()));
    const rows = await storage.db.selectFrom('signing_keys').select(['alg', 'generation']).execute();
    t.equal(rows.length, 4);
  });
});
