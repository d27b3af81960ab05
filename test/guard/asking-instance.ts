/** A process that asks for many messages at once when it is told, and writes how many it may send. */
import { once } from 'node:events';
import { migrations } from '../../migrations/index.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { openStorage } from '../../src/storage/index.ts';
import { silent } from '../helpers/log.ts';
import { at, crypto, defaults, guardOn, times } from './fixture.ts';

const [databaseUrl = '', written = '{}'] = process.argv.slice(2);
const storage = await openStorage({
  ...{ databaseUrl, dataDir: '', migrations, clock: systemClock, log: silent, poolSize: 10 },
});
const guard = guardOn(storage, defaults(JSON.parse(written)));
const ask = (n: number) => {
  const number = `+4915${process.pid % 1_000}${String(n * 7_919).padStart(7, '0')}`;
  const numberHash = crypto.mac('identifier', number);
  return guard.allowSend({ number, numberHash, userId: null, ip: null, channel: 'sms' }, at(0));
};
process.stdout.write('ready\n');
await once(process.stdin, 'data');
process.stdin.destroy();
const answers = await times(30, ask);
process.stdout.write(`${answers.filter(({ allowed }) => allowed).length}\n`);
await storage.close();
