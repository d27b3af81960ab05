import t from 'tap';
import { durationFault, formatDuration, parseDuration } from '../../src/lib/duration.ts';

t.test('durations are read and written', async (t) => {
  for (const [written, ms] of [
    ['0s', 0],
    ['30s', 30_000],
    ['5m', 300_000],
    ['8h', 28_800_000],
    ['30d', 2_592_000_000],
  ] as const) {
    t.equal(parseDuration(written), ms);
    t.equal(formatDuration(ms), written);
  }
  t.equal(formatDuration(90_000), '90s');
  t.equal(formatDuration(3_600_000 * 36), '36h');
});

t.test('anything else is refused', async (t) => {
  for (const written of ['', '5', 'm', '5 m', '-5m', '1.5h', '05m', '5w', '1h30m', '1000000d']) {
    t.throws(() => parseDuration(written), RangeError, written);
  }
});

t.test('bounds are included', async (t) => {
  t.equal(durationFault('expires', '30s', '30s', '10m'), null);
  t.equal(durationFault('expires', '600s', '30s', '10m'), null);
  t.match(durationFault('expires', '29s', '30s', '10m'), { path: 'expires', message: /between 30s and 10m/ });
});
