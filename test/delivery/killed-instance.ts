/** An instance in a process of its own, to be killed or to run beside others: does what its argument says, with the clock given. */
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { migrations } from '../../migrations/index.ts';
import { createAudit } from '../../src/audit/index.ts';
import { createDelivery } from '../../src/delivery/index.ts';
import { openStorage } from '../../src/storage/index.ts';
import { silent } from '../helpers/log.ts';
import { cryptoOf, issuer, newMessage } from './service-support.ts';
import { references } from './support.ts';

const [work = '', databaseUrl = '', key = '', time = ''] = process.argv.slice(2);
const clock = { now: () => new Date(time) };
const storage = await openStorage({ databaseUrl, dataDir: '', migrations, clock, log: silent });
const delivery = await createDelivery({
  ...{ storage, clock, references, issuer, log: silent, audit: createAudit() },
  crypto: cryptoOf(Buffer.from(key, 'base64')),
});

if (work === 'send') {
  const freshUntil = new Date(clock.now().getTime() + 300_000);
  const message = await storage.transaction((tx) =>
    delivery.queue(tx, { ...newMessage, freshUntil }, clock.now()),
  );
  await delivery.send(message);
} else if (work === 'watch') {
  // As a gateway does: nothing but its own looks at the revisions tells it.
  await storage.start();
  process.stdout.write('ready\n');
  while (delivery.openBreakers(clock.now()).size === 0) await delay(5);
  process.stdout.write(`open ${Date.now()}\n`);
} else {
  if (work === 'follow when told') {
    process.stdout.write('ready\n');
    await once(process.stdin, 'data');
    process.stdin.destroy();
  }
  await delivery.followUp(clock.now());
}
await delivery.close();
await storage.close();
