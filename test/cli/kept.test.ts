import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { stringify } from 'yaml';
import { postgresUrl, standard, testEnvironment } from '../helpers/gateway.ts';
import { sallyport } from './support.ts';

const first = { id: 'first', options: ['password'] };
const code = { id: 'second', options: ['sms-otp'] };

t.test('what only the database holds loses no ground', { timeout: 60_000 }, async (t) => {
  const files = standard('http://localhost:1/');
  const flows = [...files.flows, { id: 'own', name: 'Own', steps: [first, code] }];
  const gateway = { ...files.gateway, account: { flow: 'own' } };
  const options = { databaseUrl: await postgresUrl(t), env: { LOG_LEVEL: 'silent' } };
  const env = await testEnvironment(t, options, { ...files, flows, gateway });
  const folder = env.CONFIG_DIR ?? '';
  const command = (...args: string[]) => sallyport(env, args);
  const only = (name: string, content: object) => {
    for (const file of ['gateway', 'apps', 'flows', 'providers', 'users']) {
      rmSync(join(folder, `${file}.yaml`), { force: true });
    }
    writeFileSync(join(folder, `${name}.yaml`), stringify(content));
  };
  await command('migrate');
  t.match(await command('config', 'apply'), { code: 0 });

  only('providers', { providers: files.providers.map((one) => ({ ...one, enabled: false })) });
  const silenced = await command('config', 'apply');
  t.equal(silenced.code, 1);
  for (const place of ["'password-sms'.steps[1].options[0]", "'own'.steps[1].options[0]"]) {
    t.match(silenced.errors, `database: flows ${place}: “sms-otp” needs a provider for the channel sms`);
  }

  only('flows', { flows: [{ id: 'own', name: 'Own', steps: [first] }] });
  const said = "database: account.flow: 'own' asks for no second factor";
  t.match(await command('config', 'apply'), { code: 1, errors: said });
  t.match(await command('flow', 'draft', join(folder, 'flows.yaml')), { code: 1, errors: said });
  only('flows', { flows: files.flows });
  t.match(await command('config', 'apply', '--prune'), {
    code: 1,
    errors: "database: account.flow: names no flow: 'own'",
  });
  only('flows', { flows: [] });
  t.match(await command('config', 'apply', '--prune'), { code: 1, errors: /database: apps 'shop'\.flow/ });
  t.match(await command('config', 'apply'), { code: 0 }, 'what stays as it was is not judged again');
  only('gateway', { account: { flow: '' } });
  t.match(await command('config', 'apply'), { code: 0 });
  only('flows', { flows: [{ id: 'own', name: 'Own', steps: [first] }] });
  t.match(await command('config', 'apply'), { code: 0 }, 'nothing stands on it any more');
});
