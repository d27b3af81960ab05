/* A database whose SECRET_KEY is lost: the process waits and says so, and there is a way on. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { stringify } from 'yaml';
import { readBackup } from '../../src/storage/index.ts';
import { sallyport } from '../cli/support.ts';
import { freePort } from '../helpers/gateway.ts';
import { signIn } from '../helpers/relying-party.ts';
import { fixtureFiles, fixtures, movedToNow, readHeld, smsVariable } from './fixture.ts';
import {
  backupCodeWorks,
  emptyPlace,
  type Place,
  refresh,
  secretKey,
  startOn,
  temporary,
  withStorage,
} from './support.ts';

const dump = '0001-first-login';
const held = readHeld(dump);
const otherKey = Buffer.alloc(32, 8).toString('base64');
const entry = new URL('../../src/cli/sallyport.js', import.meta.url).pathname;

async function filled(t: Test, kind: 'postgres' | 'embedded'): Promise<Place> {
  const place = await emptyPlace(t, kind);
  await readBackup(join(fixtures, `${dump}.jsonl`), (snapshot) =>
    withStorage(place, (storage) => storage.restore(movedToNow(snapshot, held.takenAt, new Date()))),
  );
  return place;
}

/** A gateway as a process of its own, which may never become ready. */
async function spawnOn(t: Test, env: Record<string, string>) {
  const port = await freePort();
  const child = spawn(process.execPath, [entry, 'serve'], {
    env: { PATH: process.env.PATH ?? '', NODE_ENV: 'production', PORT: String(port), ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  t.teardown(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  let log = '';
  child.stdout.on('data', (chunk) => {
    log += chunk;
  });
  const ask = (path: string) =>
    fetch(`http://127.0.0.1:${port}${path}`).then(
      ({ status, headers }) => ({ status, retryAfter: headers.get('retry-after') }),
      () => ({ status: 0, retryAfter: null }),
    );
  const until = async (path: string, status: number, withinMs: number) => {
    for (let passed = 0; passed < withinMs; passed += 100) {
      if ((await ask(path)).status === status) return true;
      await delay(100);
    }
    return false;
  };
  return { child, ask, until, log: () => log };
}

for (const kind of ['postgres', 'embedded'] as const) {
  await t.test(`${kind}: discard-sealed removes what is lost, and nothing else`, async (t) => {
    const place = await filled(t, kind);
    const files = temporary(t);
    writeFileSync(join(files, 'providers.yaml'), stringify({ providers: fixtureFiles().providers }));
    const env = { ...place, NODE_ENV: 'production', SECRET_KEY: otherKey };
    const command = (variables: Record<string, string>, ...args: string[]) => sallyport(variables, args);

    await t.rejects(startOn(t, place, { SECRET_KEY: otherKey }), {
      name: 'SecretsUnreadable',
      message: /under the key "default" \(signing keys: 2, providers: 2, .*backup codes: 3/,
    });
    const right = { ...env, SECRET_KEY: secretKey };
    t.match(await command(right, 'database', 'discard-sealed', '--yes'), { output: /nothing to discard/ });
    const rotated = { ...env, SECRET_KEY: `new:${otherKey},default:${secretKey}` };
    t.match(await command(rotated, 'database', 'discard-sealed'), { output: /nothing to discard/ });

    const listed = await command(env, 'database', 'discard-sealed');
    t.match(listed, { code: 0, output: /backup codes: 3.*\n.*--yes/ });
    t.same(await command(env, 'database', 'discard-sealed'), listed, 'listing removes nothing');
    t.match(await command(env, 'database', 'discard-sealed', '--yes'), { code: 0, output: /^Removed\. / });
    const address = { [smsVariable]: 'http://127.0.0.1:9/send' };
    Object.assign(process.env, address);
    const applied = await command({ ...env, ...address }, 'config', 'apply', files);
    t.equal(applied.code, 0, applied.errors);

    const gateway = await startOn(t, place, { SECRET_KEY: otherKey });
    const { tokens } = await signIn(gateway, gateway.app, held.user);
    t.ok(tokens.id_token, 'password and code, signed with new keys');
    t.notOk(await backupCodeWorks(gateway, held.backupCode), 'backup codes are void');
    t.ok((await refresh(gateway, held.refreshToken)).access_token, 'refresh tokens need no key');
  });
}

t.test('a process with the wrong key waits instead of starting again and again', async (t) => {
  const place = await filled(t, 'postgres');
  const env = { ...place, SECRET_KEY: otherKey };
  const gateway = await spawnOn(t, env);
  t.ok(await gateway.until('/healthz', 200, 15_000), 'it lives');
  t.equal((await gateway.ask('/readyz')).status, 503, 'and is not ready');
  t.match(await gateway.ask('/.well-known/openid-configuration'), { status: 503, retryAfter: /^\d+$/ });
  const lines = gateway.log().trim().split('\n');
  t.equal(lines.length, 1, 'one line in the log');
  t.match(lines[0], /SECRET_KEY does not open .*providers: 2.*discard-sealed/);

  t.equal((await sallyport(env, ['database', 'discard-sealed', '--yes'])).code, 0);
  t.ok(await gateway.until('/readyz', 200, 20_000), 'it goes on by itself');

  const stopped = await spawnOn(t, { ...place, SECRET_KEY: secretKey });
  t.ok(await stopped.until('/healthz', 200, 15_000), 'the other way round: now the old key is the wrong one');
  t.equal((await stopped.ask('/readyz')).status, 503);
  const exit = once(stopped.child, 'exit');
  stopped.child.kill('SIGTERM');
  await exit;
  t.pass('and it can be stopped while it waits');
});
