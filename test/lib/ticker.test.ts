import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { createTicker } from '../../src/lib/ticker.ts';

t.test('repeats without overlapping until it is stopped, and waits for the run under way', async (t) => {
  let running = 0;
  let most = 0;
  let runs = 0;
  const ticker = createTicker(
    async () => {
      most = Math.max(most, ++running);
      await sleep(20);
      running--;
      runs++;
    },
    () => 1,
  );
  ticker.start();
  ticker.start();
  await sleep(150);
  await ticker.stop();
  t.equal(running, 0);
  t.equal(most, 1);
  t.ok(runs >= 2, `${runs} runs`);
  const after = runs;
  await sleep(50);
  t.equal(runs, after);

  ticker.start();
  await sleep(60);
  await ticker.stop();
  t.ok(runs > after, 'can be started again');
});
