import t from 'tap';
import { after, systemClock } from '../../src/lib/clock.ts';
import { ClockSkew, checkClock, clockSkewMs } from '../../src/storage/index.ts';
import { forEachDatabase } from '../helpers/database.ts';
import { recordingLog } from '../helpers/log.ts';

const ahead = (ms: number) => ({ now: () => after(systemClock.now(), ms) });

t.test('a clock that is off is warned of, and refused when nothing would expire rightly', async (t) => {
  await forEachDatabase(t, async (t, { db }) => {
    t.ok(Math.abs(await clockSkewMs(db, systemClock)) < 1_000);
    t.ok(Math.abs((await clockSkewMs(db, ahead(-60_000))) + 60_000) < 1_000);
    for (const [ms, warnings] of [
      [0, 0],
      [1_000, 0],
      [3_500, 1],
      [-20_000, 1],
    ] as const) {
      const log = recordingLog();
      await checkClock(db, ahead(ms), log);
      t.equal(log.lines.length, warnings, `${ms} ms`);
    }
    await t.rejects(checkClock(db, ahead(31_000), recordingLog()), ClockSkew);
    await t.rejects(checkClock(db, ahead(-31_000), recordingLog()), /differ by -31\.\d s/);
  });
});
