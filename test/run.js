/**
 * `npm test [-- path …]`: runs the given files or folders, or all tests, with one PostgreSQL for all of them.
 * A test file that leaves something open would hang for ever; twenty minutes are the end of every run.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { globSync, mkdirSync, statSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { basename, join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { globalSetup, globalTeardown } from './global-setup.ts';

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
const long = [
  ...['test/browser/', 'test/clients/', 'test/conformance/', 'test/operations/', 'test/upgrade/'],
  'test/journeys/timing.test.ts',
];
/** They wait for timers and processes most of the time: beside two files that work, a third one of these costs nobody anything. */
const waiting = [
  ...['test/operations/', 'test/journeys/stop.test.ts', 'test/journeys/flow-versions.test.ts'],
  ...['test/oidc/logout.test.ts', 'test/storage/jobs.test.ts', 'test/upgrade/lost-key.test.ts'],
];
const isOneOf = (places) => (file) => places.some((place) => file.startsWith(place));
const files = everything || paths.length > 0 ? found : found.filter((file) => !isOneOf(long)(file));
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
Object.assign(process.env, {
  TAP_TIMEOUT: '180',
  NODE_COMPILE_CACHE: cache,
  ...process.env,
  TMPDIR: scratch,
});

const groups = new Set();
let stopped = false;
const stop = (signal) => {
  stopped = true;
  for (const pid of groups) {
    try {
      process.kill(-pid, signal);
    } catch {
      // Everybody has gone already.
    }
  }
};
const watchdog = setTimeout(() => {
  console.error(`the tests did not end within ${LIMIT_MS / 60_000} minutes: stopping them`);
  stop('SIGTERM');
  setTimeout(() => stop('SIGKILL'), 5_000).unref();
}, LIMIT_MS);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => stop(signal));

/** Runs files, so many at a time. Answers the exit code and the end of what was written; if `quiet`, all of it. */
async function run(lane, concurrency, { quiet = false } = {}) {
  if (lane.length === 0 || stopped) return { code: stopped ? 1 : 0, written: '' };
  const child = spawn(
    process.execPath,
    // Most files open the embedded database for seconds: optimizing its code would take more time than it saves.
    ['--liftoff-only', '--test', `--test-concurrency=${concurrency}`, ...flags, ...lane],
    { cwd: root, stdio: ['inherit', 'pipe', 'inherit'], env: process.env, detached: true },
  );
  groups.add(child.pid);
  let written = '';
  child.stdout.setEncoding('utf8').on('data', (chunk) => {
    if (!quiet) process.stdout.write(chunk);
    written = quiet ? written + chunk : (written + chunk).slice(-20_000);
  });
  const [code, signal] = await once(child, 'close');
  // The runner may have died before its files.
  if (signal) stop('SIGKILL');
  groups.delete(child.pid);
  return { code: code ?? 1, written };
}

const patient = files.filter(isOneOf(waiting));
const busy = files.filter((file) => !patient.includes(file));
let results = [];
await globalSetup();
try {
  results = await Promise.all([run(busy, 2), run(patient, 1, { quiet: busy.length > 0 })]);
} finally {
  clearTimeout(watchdog);
  await globalTeardown();
}
if (busy.length > 0) process.stdout.write(results[1].written);
process.exitCode = Math.max(...results.map(({ code }) => code));
if (process.exitCode !== 0)
  console.error('tests have failed; where there are two summaries, either may name them');

// A skipped test shows nothing. On a developer's machine that may be meant; in CI it is a failure.
const skipped = ({ written }) => /^. (?:skipped|todo) [1-9]/m.test(stripVTControlCharacters(written));
if (process.env.CI && process.exitCode === 0 && results.some(skipped)) {
  console.error('tests were skipped or left to do: in CI that is a failure');
  process.exitCode = 1;
}
