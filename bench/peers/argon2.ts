/** The floor of any login with a password: verifying one, as many at once as there are cores. */
import { availableParallelism } from 'node:os';
import { hash, verify } from '@node-rs/argon2';

const stored = await hash('seven quiet lanterns', { memoryCost: 19_456, timeCost: 2, parallelism: 1 });

process.on('message', async ({ forMs }: { forMs: number }) => {
  const started = performance.now();
  const before = process.cpuUsage();
  let done = 0;
  const worker = async () => {
    while (performance.now() - started < forMs) {
      await verify(stored, 'seven quiet lanterns');
      done += 1;
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
  const { user, system } = process.cpuUsage(before);
  process.send?.({ done, ms: performance.now() - started, cpuMs: (user + system) / 1000 });
});
process.on('disconnect', () => process.exit());
process.send?.({});
