/* biome-ignore-all lint/suspicious/noTemplateCurlyInString: references are written like this */
import { copyFileSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { createContext } from '../../src/app.ts';
import { configurationCommands, readEnvironment, startControl } from '../../src/config/index.ts';
import { demoFolder, demoWith, migratedFolder, sallyport, temporary } from './support.ts';

t.test('from files to the embedded database and back', async (t) => {
  const variables = { DATA_DIR: join(temporary(t), 'data') };
  const command = (...args: string[]) => sallyport(variables, args);

  t.match(await command('config', 'diff', demoFolder), { code: 1, errors: /Run "sallyport migrate"/ });
  t.match(await command('migrate'), { code: 0, output: /^applied 0001-first-login\n/ });
  t.match(await command('migrate'), { code: 0, output: 'Nothing to do.\n' });
  const added =
    '+ gateway name\n+ providers simulator\n+ flows password-sms\n+ apps demo-app\n+ users demo\n';
  t.match(await command('config', 'diff', demoFolder), { code: 0, output: added });
  t.match(await command('config', 'apply', demoFolder), { code: 0, output: `${added}5 applied.\n` });
  t.match(await command('config', 'diff', demoFolder), {
    code: 0,
    output: 'The files and the database say the same.\n',
  });

  const literal = 'a-literal-secret-0123456789';
  const changed = demoWith(t, {
    'apps.yaml': [
      ['${env:DEMO_APP_SECRET:-demo-only-secret-do-not-use-anywhere-else}', literal],
      ['id: demo-app', 'id: other-app'],
    ],
  });
  t.match(await command('config', 'diff', changed), {
    code: 0,
    output: '+ apps other-app\n- apps demo-app  (only in the database; apply --prune deletes it)\n',
  });
  t.match(await command('config', 'apply', changed), {
    code: 0,
    output:
      '+ apps other-app\n  apps demo-app  (only in the database; apply --prune deletes it)\n1 applied.\n',
  });
  t.match(await command('config', 'apply', '--prune', changed), {
    code: 0,
    output: '- apps demo-app\n1 applied.\n',
  });

  const exported = join(temporary(t), 'exported');
  t.match(await command('config', 'export', exported), { code: 0, output: /wrote .*apps\.yaml/ });
  t.match(readFileSync(join(exported, 'apps.yaml'), 'utf8'), /secret: \$\{stored\}/);
  t.match(await command('config', 'diff', exported), { code: 0, output: /say the same/ });
  t.match(await command('config', 'export', exported), { code: 1, errors: /exists already/ });
  const printed = (await command('config', 'export')).output;
  t.match(printed, /# flows.yaml\nflows:\n {2}- id: password-sms/);
  t.notMatch(printed, /a-literal-secret|correct-horse/);

  writeFileSync(
    join(exported, 'apps.yaml'),
    readFileSync(join(exported, 'apps.yaml'), 'utf8').replace('${stored}', 'another-literal-secret-01234'),
  );
  t.match(await command('config', 'diff', exported), { code: 0, output: '~ apps other-app  (secret)\n' });
});

t.test('while a server holds the embedded database, commands go through its socket', async (t) => {
  const variables = { DATA_DIR: await migratedFolder(t) };
  const context = await createContext({ ...readEnvironment(variables), logLevel: 'silent' });
  t.teardown(() => context.close());
  t.match(await sallyport(variables, ['config', 'diff', demoFolder]), {
    code: 1,
    errors: /does not answer on .*control\.sock/,
  });
  const socketPath = join(variables.DATA_DIR, 'control.sock');
  const control = await startControl({ socketPath, commands: configurationCommands(context.configuration) });
  t.teardown(() => control.close());
  t.equal(statSync(socketPath).mode & 0o777, 0o600);

  t.match(await sallyport(variables, ['config', 'apply', demoFolder]), { code: 0, output: /5 applied/ });
  t.match(await sallyport(variables, ['config', 'export']), { code: 0, output: /id: demo-app/ });
  const renamed = demoWith(t, { 'apps.yaml': [['Demo shop', '${env:SHOP_NAME}']] });
  const named = { ...variables, SHOP_NAME: 'Read by the command line' };
  t.match(await sallyport(named, ['config', 'apply', renamed]), {
    code: 0,
    output: /~ apps demo-app {2}\(name\)/,
  });
  const row = await context.storage.db.selectFrom('apps').select('document').executeTakeFirstOrThrow();
  t.equal(row.document.inForce.name, 'Read by the command line', 'by its own variables, not the server’s');
  const wrong = demoWith(t, {
    'apps.yaml': [
      ['flow: password-sms', 'flow: none'],
      ['Demo shop', '${env:NONE}'],
    ],
  });
  t.match(await sallyport(variables, ['config', 'apply', wrong]), {
    code: 1,
    errors: /apps\[0\]\.name: the environment variable NONE is not set\n1 fault/,
  });
  t.match(await sallyport(variables, ['migrate']), { code: 1, errors: /is in use by process/ });
});

t.test('which folder is meant', async (t) => {
  t.match(await sallyport({ CONFIG_DIR: demoWith(t, {}) }, ['config', 'validate']), {
    code: 1,
    errors:
      /apps\[0\]\.secret: is the secret of the demo.*\n(.*\n)*users\.yaml: users\[0\]\.password: is the password of the demo/,
  });
  t.match(await sallyport({}, ['config', 'validate', demoFolder]), { code: 0, output: /^No faults/ });
  t.match(await sallyport({}, ['config', 'validate']), { code: 1, errors: /set CONFIG_DIR/ });
  t.match(await sallyport({}, ['config', 'validate', '/nowhere']), {
    code: 1,
    errors: /\/nowhere: cannot be read/,
  });
});

t.test('pruning one file asks what only the database holds, with its defaults', async (t) => {
  const variables = { DATA_DIR: await migratedFolder(t) };
  const command = (...args: string[]) => sallyport(variables, args);
  const files = demoWith(t, {});
  const onlyFlows = temporary(t);
  copyFileSync(join(files, 'flows.yaml'), join(onlyFlows, 'flows.yaml'));
  await command('config', 'apply', files);
  t.match(await command('config', 'apply', '--prune', onlyFlows), { code: 0, output: 'Nothing to do.\n' });
  writeFileSync(join(onlyFlows, 'flows.yaml'), 'flows: []\n');
  t.match(await command('config', 'apply', '--prune', onlyFlows), {
    code: 1,
    errors: "database: apps 'demo-app'.flow: names no flow: 'password-sms' (there is none)\n1 fault\n",
  });
});

t.test('an export with literal secrets, on a fresh database: each of them is asked for', async (t) => {
  const here = { DATA_DIR: await migratedFolder(t) };
  const there = { DATA_DIR: await migratedFolder(t) };
  const files = demoWith(t, {
    'apps.yaml': [
      ['${env:DEMO_APP_SECRET:-demo-only-secret-do-not-use-anywhere-else}', 'a-literal-secret-0123456789'],
    ],
    'providers.yaml': [
      [
        'preset: simulator',
        'preset: http\n    secrets: { key: literal-key }\n    http: { url: https://sms.example/?k=$secret.key }',
      ],
    ],
  });
  const exported = temporary(t);
  t.match(await sallyport(here, ['config', 'apply', files]), { code: 0 });
  await sallyport(here, ['config', 'export', exported]);
  t.match(await sallyport(there, ['config', 'validate', exported]), { code: 0 });
  for (const command of ['diff', 'apply']) {
    const { code, errors } = await sallyport(there, ['config', command, exported]);
    t.equal(code, 1);
    t.match(errors, /^providers\.yaml: providers\[0\]\.secrets\.key: says \$\{stored\}/m);
    t.match(errors, /^apps\.yaml: apps\[0\]\.secret: says \$\{stored\}/m);
    t.match(errors, /^2 faults$/m);
  }
});
