import t from 'tap';
import { after } from '../../src/lib/clock.ts';
import { forEachDatabase, postgresOnly } from '../helpers/database.ts';

const start = new Date('2026-03-01T12:00:00.000Z');
const MINUTE = 60_000;

t.test('counts what falls into a window that slides', async (t) => {
  await forEachDatabase(t, async (t, { counters }) => {
    t.equal(await counters.peek('a', MINUTE, start), 0);
    t.equal(await counters.add('a', MINUTE, start), 1);
    t.equal(await counters.add('a', MINUTE, after(start, 20_000)), 2);
    t.equal(await counters.add('a', MINUTE, after(start, 40_000), 3), 5);
    t.equal(await counters.peek('a', MINUTE, after(start, 59_999)), 5, 'looking does not count');
    t.equal(await counters.peek('a', MINUTE, after(start, 64_000)), 4, 'the first has left');
    t.equal(await counters.add('a', MINUTE, after(start, 84_000)), 4, 'so has the second');
    t.equal(await counters.peek('a', MINUTE, after(start, 150_000)), 0);
    t.equal(await counters.add('a', MINUTE, after(start, 10 * 86_400_000)), 1, 'long afterwards');
    t.equal(await counters.peek('a', 2 * MINUTE, start), 0, 'another window is another count');
    t.equal(await counters.peek('b', MINUTE, start), 0);
  });
});

t.test('never counts less than the exact window holds, nor more than a twentieth longer one', async (t) => {
  await forEachDatabase(t, async (t, { counters }) => {
    const at: number[] = [];
    const wrong: object[] = [];
    let seed = 7;
    let time = start.getTime();
    for (let i = 0; i < 150; i++) {
      seed = (seed * 16_807) % 2_147_483_647;
      time += seed % 5_000;
      at.push(time);
      const counted = await counters.add('a', MINUTE, new Date(time));
      const exact = at.filter((moment) => moment > time - MINUTE).length;
      const longer = at.filter((moment) => moment > time - MINUTE * 1.05).length;
      if (counted < exact || counted > longer) wrong.push({ i, exact, counted, longer });
    }
    t.strictSame(wrong, []);
  });
});

t.test('gives one back where it was counted, and never below nothing', async (t) => {
  await forEachDatabase(t, async (t, { counters }) => {
    await counters.add('a', MINUTE, start);
    await counters.add('a', MINUTE, after(start, 30_000));
    t.equal(await counters.add('a', MINUTE, start, -1), 1, 'the older one');
    t.equal(await counters.peek('a', MINUTE, after(start, 70_000)), 1, 'the younger one still counts');
    t.equal(await counters.add('a', MINUTE, after(start, 30_000), -5), 0);
    t.equal(await counters.add('a', MINUTE, after(start, 31_000)), 1);
    t.equal(await counters.add('b', MINUTE, start, -1), 0);
  });
});

t.test('an instance whose clock is behind counts into its own moment', async (t) => {
  await forEachDatabase(t, async (t, { counters }) => {
    await counters.add('a', MINUTE, after(start, 30_000));
    t.equal(await counters.add('a', MINUTE, start), 2);
    t.equal(await counters.peek('a', MINUTE, after(start, 70_000)), 1);
    await counters.add('a', MINUTE, after(start, -10 * MINUTE));
    t.equal(await counters.peek('a', MINUTE, after(start, 30_000)), 2, 'what is over does not count');
  });
});

t.test('of thirty-two at once each is told another number', async (t) => {
  await postgresOnly(t, async (t, { counters }, database) => {
    const other = (await database.another()).counters;
    for (const key of ['new', 'a', 'a']) {
      const before = await counters.peek(key, MINUTE, start);
      const counts = await Promise.all(
        // Half of them see a later slot: the boundary between two must not let one more through.
        Array.from({ length: 32 }, (_, i) =>
          (i % 2 ? counters : other).add(key, MINUTE, after(start, (i % 4) * 3_000)),
        ),
      );
      t.strictSame(
        counts.toSorted((a, b) => a - b),
        Array.from({ length: 32 }, (_, i) => before + i + 1),
      );
    }
  });
});
