import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import t from 'tap';
import { ConfigurationError, loadOrCreateSecretKey, readEnvironment } from '../../src/config/index.ts';

const key = Buffer.alloc(32, 7).toString('base64');
const otherKey = Buffer.alloc(32, 8).toString('base64');

function faults(env: Record<string, string>): string[] {
  try {
    readEnvironment(env);
    return [];
  } catch (error) {
    if (error instanceof ConfigurationError)
      return error.faults.map(({ path, message }) => `${path}: ${message}`);
    throw error;
  }
}

t.test('defaults', (t) => {
  t.strictSame(readEnvironment({}), {
    port: 3000,
    host: '127.0.0.1',
    issuer: new URL('http://localhost:3000'),
    databaseUrl: null,
    dataDir: resolve('./data'),
    configDir: null,
    secretKeys: null,
    logLevel: 'warn',
    workers: 1,
    tracing: null,
    demo: true,
  });
  t.end();
});

t.test('everything given', (t) => {
  const environment = readEnvironment({
    PORT: '8080',
    HOST: '0.0.0.0',
    ISSUER: 'https://login.example.com',
    DATABASE_URL: 'postgres://u:p@db/sallyport',
    DATA_DIR: '/var/lib/sallyport',
    CONFIG_DIR: '/etc/sallyport',
    SECRET_KEY: `new:${key}, old:${otherKey}`,
    LOG_LEVEL: 'debug',
    WORKERS: '1',
  });
  t.match(environment, {
    port: 8080,
    host: '0.0.0.0',
    configDir: '/etc/sallyport',
    logLevel: 'debug',
    demo: false,
  });
  t.strictSame(
    environment.secretKeys?.map(({ id }) => id),
    ['new', 'old'],
  );
  t.strictSame(readEnvironment({ SECRET_KEY: key }).secretKeys, [
    { id: 'default', bytes: Buffer.alloc(32, 7) },
  ]);
  t.end();
});

t.test('the demo needs all three to be unset', (t) => {
  t.equal(readEnvironment({ NODE_ENV: 'test' }).demo, true);
  t.equal(readEnvironment({ NODE_ENV: 'production' }).demo, false);
  t.match(readEnvironment({ CONFIG_DIR: 'x' }), { demo: false, logLevel: 'info' });
  t.equal(readEnvironment({ DATABASE_URL: 'postgres://x', SECRET_KEY: key }).demo, false);
  t.end();
});

const collector = 'OTEL_EXPORTER_OTLP_ENDPOINT';
const traced = { [collector]: 'http://collector:4318/' };
const tenth = { OTEL_TRACES_SAMPLER: 'parentbased_traceidratio', OTEL_TRACES_SAMPLER_ARG: '0.1' };

t.test('traces, by the variables of OpenTelemetry', (t) => {
  const tracing = (env: Record<string, string>) => readEnvironment(env).tracing;
  t.strictSame(tracing(traced), {
    url: 'http://collector:4318/v1/traces',
    headers: {},
    serviceName: 'sallyport',
    sampler: { parentBased: true, ratio: 1 },
  });
  t.equal(tracing({ ...traced, OTEL_SDK_DISABLED: 'True' }), null);
  t.equal(tracing({ OTEL_SERVICE_NAME: 'login' }), null, 'nobody is named who takes them');
  t.match(tracing({ ...traced, ...tenth }), { sampler: { parentBased: true, ratio: 0.1 } });
  t.match(tracing({ ...traced, OTEL_TRACES_SAMPLER: 'always_off' }), {
    sampler: { parentBased: false, ratio: 0 },
  });
  t.match(
    tracing({
      ...traced,
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://elsewhere.example/in/',
      OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20one, x-team = logins',
      OTEL_EXPORTER_OTLP_TRACES_HEADERS: 'authorization=Bearer%20two',
    }),
    {
      url: 'https://elsewhere.example/in/',
      headers: { authorization: 'Bearer two', 'x-team': 'logins' },
    },
  );
  t.end();
});

t.test('what is wrong', (t) => {
  const cases: [env: Record<string, string>, fault: RegExp][] = [
    [{ PORT: 'http' }, /^PORT: .*0 to 65535/],
    [{ PORT: '65536' }, /^PORT/],
    [{ PORT: '0' }, /^ISSUER: is required/],
    [{ ISSUER: 'login.example.com' }, /^ISSUER: must be an origin/],
    [{ ISSUER: 'ftp://a.example' }, /^ISSUER/],
    [{ ISSUER: 'http://login.example.com' }, /^ISSUER: .*localhost only/],
    [{ ISSUER: 'https://a.example/path' }, /^ISSUER: .*without a path/],
    [{ ISSUER: 'https://a.example/?x' }, /^ISSUER: .*without a path/],
    [{ ISSUER: 'https://u:p@a.example' }, /^ISSUER: .*user name/],
    [{ DATABASE_URL: 'mysql://x', SECRET_KEY: key }, /^DATABASE_URL/],
    [{ DATABASE_URL: 'postgres://x' }, /^SECRET_KEY: is required/],
    [{ SECRET_KEY: 'short' }, /^SECRET_KEY: the key is not base64/],
    [{ SECRET_KEY: 'a'.repeat(64) }, /^SECRET_KEY: the key is not base64/],
    [{ SECRET_KEY: `a:${key},${otherKey}` }, /^SECRET_KEY: key 2 of the list has no id/],
    [{ SECRET_KEY: `a:${key},a:${otherKey}` }, /^SECRET_KEY: two keys have the id a/],
    [{ SECRET_KEY: `a b:${key}` }, /^SECRET_KEY: the id/],
    [{ SECRET_KEY: key, SECRET_KEY_FILE: '/x' }, /^SECRET_KEY: stands beside/],
    [{ SECRET_KEY_FILE: '/nowhere/key' }, /^SECRET_KEY_FILE: cannot be read/],
    [{ LOG_LEVEL: 'loud' }, /^LOG_LEVEL: must be one of/],
    [{ WORKERS: '4' }, /^WORKERS: .*DATABASE_URL/],
    [{ [collector]: 'localhost:4318' }, /^OTEL_EXPORTER_OTLP_ENDPOINT: must be the address/],
    [{ [collector]: 'x', OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'y' }, /^OTEL_EXPORTER_OTLP_TRACES_ENDPOINT/],
    [{ ...traced, OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' }, /^OTEL_EXPORTER_OTLP_PROTOCOL: must be http.json/],
    [{ ...traced, OTEL_EXPORTER_OTLP_HEADERS: 'a=b,c' }, /^OTEL_EXPORTER_OTLP_HEADERS: must be a list/],
    [{ ...traced, OTEL_EXPORTER_OTLP_HEADERS: 'a=%' }, /^OTEL_EXPORTER_OTLP_HEADERS/],
    [{ ...traced, OTEL_EXPORTER_OTLP_HEADERS: 'a=b%0d%0ac:d' }, /^OTEL_EXPORTER_OTLP_HEADERS/],
    [{ ...traced, OTEL_TRACES_SAMPLER: 'sometimes' }, /^OTEL_TRACES_SAMPLER: must be one of/],
    [{ ...traced, ...tenth, OTEL_TRACES_SAMPLER_ARG: '10%' }, /^OTEL_TRACES_SAMPLER_ARG: .*0 to 1/],
  ];
  for (const [env, expected] of cases) {
    const [fault = '', ...others] = faults(env);
    t.match(fault, expected);
    t.equal(others.length, 0, 'and nothing else');
  }
  t.equal(faults({ PORT: 'x', LOG_LEVEL: 'x', WORKERS: '0', ISSUER: 'x' }).length, 4, 'all at once');
  t.notMatch(faults({ SECRET_KEY: `a:${key},b:tooshort` }).join(), /tooshort|BwcH/, 'no fault repeats a key');
  t.end();
});

t.test('the key of the embedded default is made once, for its owner alone', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-key-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const dataDir = join(folder, 'data');
  const made = loadOrCreateSecretKey(dataDir);
  t.equal(made[0]?.bytes.length, 32);
  t.strictSame(loadOrCreateSecretKey(dataDir), made);
  t.equal(statSync(join(dataDir, 'secret.key')).mode & 0o777, 0o600);
  t.equal(statSync(dataDir).mode & 0o777, 0o700);
  const file = join(dataDir, 'secret.key');
  t.strictSame(readEnvironment({ SECRET_KEY_FILE: file }).secretKeys, made);
  writeFileSync(file, 'spoilt');
  t.throws(() => loadOrCreateSecretKey(dataDir), { name: 'ConfigurationError' });
  t.end();
});
