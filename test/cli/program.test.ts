import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { postgresUrl } from '../helpers/gateway.ts';
import { demoWith, root, sallyport, temporary } from './support.ts';

const entry = join(root, 'src/cli/sallyport.js');

/** Runs the program as its own process, with no more environment than given. */
function start(variables: Record<string, string>, ...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [entry, ...args], {
    env: { PATH: process.env.PATH, ...variables },
    encoding: 'utf8',
    timeout: 60_000,
  });
  return { code: status, output: stdout, errors: stderr };
}

const wrongFiles = {
  'flows.yaml': [['length: 6', 'lenght: 6']] as [string, string][],
  'providers.yaml': [
    [
      'preset: simulator',
      'preset: http\n    http: { url: https://sms.example/send, payload: \'{"to":$ctx.nmu,"text":$ctx.msg}\' }',
    ],
  ] as [string, string][],
  // biome-ignore lint/suspicious/noTemplateCurlyInString: a reference
  'apps.yaml': [['["${env:DEMO_SHOP_URL:-http://localhost:3001}/callback"]', '[no address]']] as [
    string,
    string,
  ][],
};

t.test('wrong configuration: everything in one run, each with its path, and exit code 1', (t) => {
  const folder = demoWith(t, wrongFiles);
  const { code, output, errors } = start({}, 'config', 'validate', folder);
  t.equal(code, 1);
  t.equal(output, '');
  const [option, placeholder, address, count, ...rest] = errors.split('\n');
  t.equal(
    option,
    "flows.yaml: flows[0].steps[1].options[0].sms-otp.lenght: is unknown; did you mean 'length'?",
  );
  t.match(placeholder, /^providers\.yaml: providers\[0\]\.http\.payload: .*\$ctx\.nmu/);
  t.match(address, /^apps\.yaml: apps\[0\]\.redirectUris\[0\]: 'no address' is no absolute URI/);
  t.equal(count, '3 faults');
  t.strictSame(rest, ['']);
  t.end();
});

t.test('a server does not start on them either', (t) => {
  const variables = {
    CONFIG_DIR: demoWith(t, wrongFiles),
    DATA_DIR: join(temporary(t), 'data'),
    LOG_LEVEL: 'silent',
  };
  const { code, errors } = start(variables, 'serve');
  t.equal(code, 1);
  for (const place of [
    'flows[0].steps[1].options[0].sms-otp.lenght',
    'providers[0].http.payload',
    'apps[0].redirectUris[0]',
  ]) {
    t.ok(errors.includes(place), place);
  }
  t.notMatch(errors, /\n\s+at /, 'no stack trace');
  t.end();
});

t.test('wrong usage ends with 2, help with 0', async (t) => {
  for (const args of [
    ['frobnicate'],
    ['config', 'aply'],
    ['config', 'apply', '--purge'],
    ['config', 'validate', 'a', 'b'],
  ]) {
    const { code, errors } = await sallyport({}, args);
    t.equal(code, 2, args.join(' '));
    t.match(errors, /error: /);
  }
  t.match(await sallyport({}, ['--help']), { code: 0, output: /config.*\n/ });
  t.match(await sallyport({}, ['--version']), { code: 0, output: /^\d+\.\d+\.\d+\n$/ });
});

t.test('foreseen failures are sentences', async (t) => {
  const key = Buffer.alloc(32).toString('base64');
  const broken = temporary(t);
  mkdirSync(join(broken, 'lock'));
  const cases: [variables: Record<string, string>, args: string[], errors: RegExp][] = [
    [{ PORT: 'x', LOG_LEVEL: 'y' }, ['serve'], /^PORT: .*\nLOG_LEVEL: .*\n2 faults\n$/],
    [
      { DATABASE_URL: 'postgres://127.0.0.1:1/x', SECRET_KEY: key },
      ['migrate'],
      /^The database is out of reach: /,
    ],
    [{ DATABASE_URL: 'postgres://127.0.0.1:1/x' }, ['migrate'], /^SECRET_KEY: is required/],
    [
      { DATABASE_URL: 'postgres://me:pass#word@127.0.0.1/x', SECRET_KEY: key },
      ['migrate'],
      /^DATABASE_URL: is no URL: (?!.*pass#word)/,
    ],
    [{ DATA_DIR: broken }, ['migrate'], /^The data folder .* cannot be used: /],
  ];
  for (const [variables, args, expected] of cases) {
    const { code, errors } = await sallyport({ LOG_LEVEL: 'silent', ...variables }, args);
    t.equal(code, 1);
    t.match(errors, expected);
    t.notMatch(errors, /\n\s+at /, 'no stack trace');
  }
  const failing = {
    serve: async () => {
      throw new TypeError('unforeseen');
    },
  };
  t.match(await sallyport({}, ['serve'], failing), { code: 1, errors: /unforeseen\n\s+at / });
});

t.test('a server that will not have us, and a key that opens nothing, are sentences', async (t) => {
  const url = new URL(await postgresUrl(t));
  const key = (byte: number) => Buffer.alloc(32, byte).toString('base64');
  const command = (address: URL, secret: string, ...args: string[]) =>
    sallyport({ LOG_LEVEL: 'silent', DATABASE_URL: address.href, SECRET_KEY: secret }, args);

  const wrong = new URL(url);
  wrong.pathname = '/nowhere_at_all';
  const noTls = new URL(url);
  noTls.search = '?sslmode=verify-full';
  for (const [address, said] of [
    [wrong, /^The database refuses: database "nowhere_at_all" does not exist\n$/],
    [noTls, /^The database refuses: The server does not support SSL connections\n$/],
  ] as const) {
    t.match(await command(address, key(1), 'migrate'), { code: 1, errors: said });
  }

  const folder = demoWith(t, {});
  t.match(await command(url, key(1), 'config', 'apply', flowsAndProviders(folder)), { code: 0 });
  for (const secret of [key(2), `new:${key(2)}`]) {
    const { code, errors } = await command(url, secret, 'config', 'apply', folder);
    t.equal(code, 1);
    t.match(errors, /^Something in the database is sealed under the key "default", .*SECRET_KEY/);
    t.notMatch(errors, /\n\s+at /, 'no stack trace');
  }
  const rotated = `new:${key(2)},default:${key(1)}`;
  t.match(await command(url, rotated, 'config', 'diff', folder), { code: 0, output: /say the same/ });
});

/** The demo's app and user have credentials that count only in the demo. */
function flowsAndProviders(folder: string): string {
  for (const file of ['apps.yaml', 'users.yaml']) rmSync(join(folder, file));
  return folder;
}

t.test('an old Node is told which one is needed', (t) => {
  const folder = temporary(t);
  const copy = join(folder, 'entry.mjs');
  writeFileSync(copy, readFileSync(entry, 'utf8').replaceAll('process.versions.node', "'24.6.9'"));
  const { status, stderr } = spawnSync(process.execPath, [copy], { encoding: 'utf8' });
  t.equal(status, 1);
  t.match(stderr, /needs Node 24\.7 or later/);
  t.end();
});
