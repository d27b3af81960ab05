import { createHash } from 'node:crypto';
import t from 'tap';
import { createContext } from '../../src/app.ts';
import { ConfigurationError, readEnvironment } from '../../src/config/index.ts';
import type { HttpClient } from '../../src/delivery/index.ts';
import { alice, standard, testEnvironment, writeConfig } from '../helpers/gateway.ts';

const files = standard('https://sms.example/send');
const [user] = files.users;
const [app] = files.apps;

/** Knows some passwords as stolen, whatever its address. */
function listOf(...stolen: string[]): HttpClient & { asked: string[] } {
  const hashes = stolen.map((password) => createHash('sha1').update(password).digest('hex').toUpperCase());
  const asked: string[] = [];
  return {
    asked,
    async get(url) {
      asked.push(url.href);
      const lines = hashes.filter((hash) => url.href.endsWith(`/${hash.slice(0, 5)}`));
      return {
        status: 200,
        body: [...lines.map((hash) => `${hash.slice(5)}:9`), `${'0'.repeat(35)}:0`].join('\r\n'),
      };
    },
    post: async () => ({ status: 404, body: '' }),
    close: async () => {},
  };
}

t.test('the composition looks passwords up as the files that bring them say', async (t) => {
  const httpClient = listOf('once a good one');
  const variables = await testEnvironment(t, { databaseUrl: null }, files);
  const context = await createContext({ ...readEnvironment(variables), logLevel: 'silent' }, { httpClient });
  t.teardown(() => context.close());
  await context.storage.migrate();
  const { configuration, users, settings, storage } = context;
  const enabled = { breachCheck: { enabled: true, url: 'https://list.example/range/' } };
  const folder = (password: string, passwords?: object) =>
    writeConfig(t, { ...files, gateway: { passwords }, users: [{ ...user, password }] });

  const refused = await configuration
    .applyToEmpty(folder('once a good one', enabled))
    .catch((error) => error);
  t.strictSame(refused instanceof ConfigurationError && refused.faults, [
    {
      path: 'users.yaml: users[0].password',
      message: 'This password appears in lists of stolen passwords. Choose another one.',
    },
  ]);
  t.strictSame(await storage.db.selectFrom('users').select('id').execute(), [], 'nothing was applied');
  t.match(httpClient.asked, [/^https:\/\/list\.example\/range\/[0-9A-F]{5}$/]);

  await configuration.applyToEmpty(folder(alice.password, enabled));
  t.equal(httpClient.asked.length, 2);
  await settings.load();
  const she = { username: 'alice', email: null };
  await t.rejects(users.preparePassword('once a good one', she), { status: 400, code: 'invalid_user' });
  await t.resolves(users.preparePassword('still a good one', she));
  t.equal(httpClient.asked.length, 4, 'in force for what comes later');

  const off = { breachCheck: { enabled: false } };
  const other = { username: 'bob', password: 'once a good one' };
  const again = configuration.read(writeConfig(t, { ...files, gateway: { passwords: off }, users: [other] }));
  await configuration.apply(again.documents, { prune: false });
  t.equal(httpClient.asked.length, 4, 'switched off by the very files');
});

t.test('a password that is the only factor in the flow of an app must be long', async (t) => {
  const variables = await testEnvironment(t, { databaseUrl: null }, files);
  const context = await createContext({ ...readEnvironment(variables), logLevel: 'silent' });
  t.teardown(() => context.close());
  await context.storage.migrate();
  const quick = { id: 'quick', name: 'Password', steps: [{ id: 'first', options: ['password'] }] };
  const folder = (who: object, ...apps: object[]) =>
    writeConfig(t, {
      ...files,
      flows: [...files.flows, quick],
      apps: [...files.apps, ...apps],
      users: [{ ...user, ...who }],
    });
  const faults = async (of: string) => {
    const { documents, faults } = context.configuration.read(of);
    const found = [...faults, ...(await context.configuration.check(documents, { prune: false }))];
    return found.map(({ path, message }) => `${path} ${message}`);
  };
  const short = { password: 'nine char' };
  t.strictSame(await faults(folder(short)), [], 'no app uses that flow');
  t.match(await faults(folder(short, { ...app, id: 'notes', flow: 'quick' })), [
    /^users\.yaml: users\[0\]\.password must have at least 15 characters.* flow 'quick' \(NIST SP 800-63B-4/,
  ]);
  t.match(await faults(folder({ ...short, codeOff: true })), [/flow 'password-sms'/]);
  t.strictSame(await faults(folder({ codeOff: true }, { ...app, id: 'notes', flow: 'quick' })), []);
});
