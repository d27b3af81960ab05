import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import t from 'tap';
import { plantedFolder } from '../helpers/embedded-seed.ts';

const root = join(import.meta.dirname, '../..');
const entry = join(root, 'src/cli/sallyport.js');

/** Runs the command line as a process; none of this test's settings reach it. */
async function run(args: string[], env: Record<string, string> = {}) {
  const child = spawn(process.execPath, [entry, ...args], {
    cwd: root,
    env: { PATH: process.env.PATH ?? '', TMPDIR: tmpdir(), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [out, errors, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit'),
  ]);
  return { code: code as number | null, out, errors };
}

t.test('demo --once shows what it promises and ends with 0', async (t) => {
  const { code, out, errors } = await run(['demo', '--once']);
  t.equal(code, 0, errors);
  for (const promise of [
    'a wrong code is refused',
    'signed in with password and code',
    'signed in with password and backup code',
    'a used backup code is refused',
    'a replayed authorization code is refused',
    'Everything held.',
  ]) {
    t.match(out, promise);
  }
});

t.test('the demo is refused beside a real configuration', async (t) => {
  for (const env of [{ NODE_ENV: 'production' }, { CONFIG_DIR: root }]) {
    const { code, errors } = await run(['demo', '--once'], env);
    t.equal(code, 1);
    t.match(errors, /demo runs only without/);
  }
});

t.test('the demo’s configuration is refused by any other start', async (t) => {
  const folder = await plantedFolder();
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const { code, errors } = await run(['serve'], {
    CONFIG_DIR: join(root, 'config/demo'),
    DATA_DIR: folder,
    PORT: '0',
    ISSUER: 'http://localhost:4999',
  });
  t.equal(code, 1);
  t.match(errors, 'apps.yaml: apps[0].secret');
  t.match(errors, 'users.yaml: users[0].password');
  t.notMatch(errors, 'correct-horse-demo', 'and the answer repeats no secret');
});
