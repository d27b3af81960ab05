/** An instance in a process of its own, for tests that kill it: does what its argument says, with the clock given. */
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
} else await delivery.followUp(clock.now());
await delivery.close();
await storage.close();
