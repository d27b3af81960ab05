import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { migrations } from '../../migrations/index.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { DataDirInUse, openStorage } from '../../src/storage/index.ts';
import { silent } from '../helpers/log.ts';

const lockModule = join(import.meta.dirname, '../../src/storage/folder-lock.ts');

/** A process that takes the lock, says so, and stays until it is killed; or says why not. */
function contender(dataDir: string): ChildProcess {
  const code = `
    import { lockFolder } from ${JSON.stringify(lockModule)};
    try {
      lockFolder(${JSON.stringify(dataDir)}, new Date());
      console.log('held');
      setInterval(() => {}, 1000);
    } catch (error) {
      console.log(error.name + ': ' + error.message);
    }`;
  return spawn(process.execPath, ['--input-type=module-typescript', '-e', code], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

async function firstLine(child: ChildProcess): Promise<string> {
  const [chunk] = await once(child.stdout as NodeJS.ReadableStream, 'data');
  return String(chunk).trim();
}

function folder(t: { teardown(work: () => void): void }): string {
  const dataDir = mkdtempSync(join(tmpdir(), 'lock-'));
  t.teardown(() => rmSync(dataDir, { recursive: true, force: true }));
  return join(dataDir, 'data');
}

const open = (dataDir: string) =>
  openStorage({ databaseUrl: null, dataDir, migrations, clock: systemClock, log: silent });

t.test('a second process is refused with the name of the first, until that is gone', async (t) => {
  const dataDir = folder(t);
  const storage = await open(dataDir);
  t.equal(statSync(dataDir).mode & 0o777, 0o700);
  const refused = await firstLine(contender(dataDir));
  t.match(refused, /^DataDirInUse: The data folder .*data is in use by process \d+ since 20/);
  t.match(refused, new RegExp(`process ${process.pid} since`));
  t.match(refused, `(control socket ${join(dataDir, 'control.sock')})`);

  const again = await open(dataDir).catch((error) => error);
  t.ok(again instanceof DataDirInUse, 'nor can this process open it twice');
  t.match(again, { pid: process.pid, socket: join(dataDir, 'control.sock') });

  await storage.migrate();
  await storage.revisions.bump(storage.db, 'kept');
  await storage.close();
  t.notOk(existsSync(join(dataDir, 'lock.json')));

  const reopened = await open(dataDir);
  t.teardown(() => reopened.close());
  await t.resolves(reopened.ready(), 'what was written is there the next time');
  t.strictSame(await reopened.db.selectFrom('revisions').select('topic').execute(), [{ topic: 'kept' }]);
});

t.test('of eight that come together one holds it, and a killed one holds nothing', async (t) => {
  const dataDir = folder(t);
  const children = Array.from({ length: 8 }, () => contender(dataDir));
  const lines = await Promise.all(children.map(firstLine));
  const winner = children[lines.indexOf('held')] as ChildProcess;
  t.equal(lines.filter((line) => line === 'held').length, 1);
  t.equal(lines.filter((line) => line.startsWith('DataDirInUse')).length, 7);
  t.equal(JSON.parse(readFileSync(join(dataDir, 'lock.json'), 'utf8')).pid, winner.pid);

  winner.kill('SIGKILL');
  await once(winner, 'exit');
  const next = contender(dataDir);
  t.equal(await firstLine(next), 'held');
  next.kill('SIGKILL');
});
