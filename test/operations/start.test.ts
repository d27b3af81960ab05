import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { postgresUrl, standard, testEnvironment } from '../helpers/gateway.ts';
import { startProcess } from '../helpers/process.ts';

/** Writes down, when the process ends, what it has loaded: files, and parts of Node itself. */
const witness = (file: string) =>
  `data:text/javascript,${encodeURIComponent(`
    import { writeFileSync } from 'node:fs';
    import { registerHooks } from 'node:module';
    const files = [];
    registerHooks({ load: (url, context, next) => (files.push(url), next(url, context)) });
    process.on('exit', () => writeFileSync(${JSON.stringify(file)}, JSON.stringify({ files, node: process.moduleLoadList })));
  `)}`;

const packageOf = (url: string): string | undefined =>
  /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url)?.[1];

t.test('a start on a configured database loads no more than it needs', async (t) => {
  const env = await testEnvironment(
    t,
    { databaseUrl: await postgresUrl(t) },
    standard('http://127.0.0.1:9/'),
  );
  const run = async (more: Record<string, string>) => {
    const { process: gateway } = await startProcess(t, { ...env, ...more });
    const ended = once(gateway, 'exit');
    gateway.kill('SIGTERM');
    t.strictSame(await ended, [0, null]);
  };
  await run({});
  const file = join(t.testdir(), 'loaded.json');
  await run({ NODE_OPTIONS: `--import=${witness(file)}` });
  const { files, node } = JSON.parse(readFileSync(file, 'utf8')) as { files: string[]; node: string[] };
  const packages = new Set(files.map(packageOf));
  t.ok(packages.has('oidc-provider') && packages.has('kysely'), 'what is needed was seen');
  for (const [name, reason] of [
    ['typebox', 'schemas are plain objects'],
    ['yaml', 'no file is read'],
    ['@electric-sql/pglite', 'the database is a server'],
    ['@marcbachmann/cel-js', 'no condition was asked'],
    ['prom-client', 'nobody has asked for metrics'],
    ['@opentelemetry/api', 'no collector is named'],
    ['source-map', 'Handlebars is one file'],
    ['otpauth', 'nobody uses an authenticator app'],
    ['qrcode-generator', 'nobody sets one up'],
    ['express', 'it belongs to the demonstration'],
  ] as const) {
    t.notOk(packages.has(name), `${name}: ${reason}`);
  }
  t.notOk(
    node.includes('NativeModule internal/deps/undici/undici'),
    "Node's own HTTP client is loaded by an import of node:http unless src/cli/sallyport.js prevents it",
  );
  const foreign = files.filter((url) => packageOf(url) !== undefined);
  t.ok(foreign.length < 1_150, `${foreign.length} files of libraries: every hundred cost a start some 40 ms`);
});
