/**
 * `npm test [-- path …]`: runs the given files or folders, or all tests, with one PostgreSQL for all of them.
 * A test file that leaves something open would hang for ever; twenty minutes are the end of every run.
 */
import { spawn } from 'node:child_process';
import { globSync, mkdirSync, statSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { basename, join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';

const LIMIT_MS = 20 * 60_000;
const root = join(import.meta.dirname, '..');
const wanted = process.argv.slice(2);
const everything = Boolean(process.env.CI) || wanted.includes('--all');
const flags = wanted.filter((argument) => argument.startsWith('-') && argument !== '--all');
const paths = wanted.filter((argument) => !argument.startsWith('-'));
const found = (paths.length > 0 ? paths : ['test']).flatMap((path) =>
  statSync(join(root, path)).isDirectory() ? globSync(`${path}/**/*.test.ts`, { cwd: root }) : [path],
);
/** They take minutes of their own: CI always runs them, a person with `npm test -- --all` or by name. */
const long = ['test/clients/', 'test/conformance/', 'test/operations/', 'test/upgrade/'];
const files =
  everything || paths.length > 0
    ? found
    : found.filter((file) => !long.some((folder) => file.startsWith(folder)));
if (files.length < found.length) {
  console.log(
    `${found.length - files.length} long files are left out (npm test -- --all): ${long.join(' ')}`,
  );
}
if (files.length === 0) {
  console.error(`no tests in ${paths.join(', ')}`);
  process.exit(1);
}

// Chromium unpacks itself into TMPDIR: a folder of this user, so that nobody else's copy is run.
const name = `sallyport-test-${userInfo().uid}`;
const scratch = basename(tmpdir()) === name ? tmpdir() : join(tmpdir(), name);
mkdirSync(scratch, { recursive: true, mode: 0o711 });

// Half a minute, the library's limit for a file, is short for races and browsers on a busy machine.
// Each file is a process of its own: types are stripped once for all of them.
const cache = join(scratch, 'compile-cache');
const env = { TAP_TIMEOUT: '180', NODE_COMPILE_CACHE: cache, ...process.env, TMPDIR: scratch };

const child = spawn(
  process.execPath,
  ['--test', '--test-concurrency=2', '--test-global-setup=test/global-setup.ts', ...flags, ...files.sort()],
  { cwd: root, stdio: ['inherit', 'pipe', 'inherit'], env, detached: true },
);
// A skipped test shows nothing. On a developer's machine that may be meant; in CI it is a failure.
let ending = '';
child.stdout.on('data', (chunk) => {
  process.stdout.write(chunk);
  ending = (ending + chunk).slice(-20_000);
});
const skipped = () => /^. (?:skipped|todo) [1-9]/m.test(stripVTControlCharacters(ending));

const stop = (signal) => {
  try {
    process.kill(-child.pid, signal);
  } catch {
    // Everybody has gone already.
  }
};
const watchdog = setTimeout(() => {
  console.error(`the tests did not end within ${LIMIT_MS / 60_000} minutes: stopping them`);
  stop('SIGTERM');
  setTimeout(() => stop('SIGKILL'), 5_000).unref();
}, LIMIT_MS);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => stop(signal));
child.on('close', (code, signal) => {
  clearTimeout(watchdog);
  // The runner may have died before its files and its database.
  if (signal) stop('SIGKILL');
  process.exitCode = code ?? 1;
  if (process.env.CI && code === 0 && skipped()) {
    console.error('tests were skipped or left to do: in CI that is a failure');
    process.exitCode = 1;
  }
});
