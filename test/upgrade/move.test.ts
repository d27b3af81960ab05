/* A trial on the embedded database becomes a real one: `sallyport database move --to postgres://…`. */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { stringify } from 'yaml';
import { sallyport } from '../cli/support.ts';
import { signIn } from '../helpers/relying-party.ts';
import { fixtureFiles, held } from './fixture.ts';
import {
  backupCodeWorks,
  emptyPlace,
  newFolder,
  refresh,
  startOn,
  temporary,
  withStorage,
} from './support.ts';

t.test('a trial moves to PostgreSQL', async (t) => {
  const trial = newFolder(t);
  const real = await emptyPlace(t, 'postgres');
  const configDir = temporary(t);
  for (const [name, content] of Object.entries(fixtureFiles())) {
    writeFileSync(
      join(configDir, `${name}.yaml`),
      stringify(name === 'gateway' ? content : { [name]: content }),
    );
  }
  const move = () => sallyport({ ...trial }, ['database', 'move', '--to', real.DATABASE_URL ?? '']);

  // The trial makes its own key.
  const before = await startOn(t, trial, { CONFIG_DIR: configDir, SECRET_KEY: '' });
  const { tokens } = await signIn(before, before.app, held.user, { scope: 'openid offline_access' });
  t.match(await move(), { code: 1, errors: /is in use by process \d+/ }, 'a running trial is not copied');
  await before.close();
  // A session ended just before the stop: its app has not been told yet.
  const notice = { id: 'lgn_1', app_id: held.app.id, user_id: 'usr_1', sid: 'ses_1', tries: 1 };
  await withStorage(trial, ({ db }) =>
    db
      .insertInto('logout_notices')
      .values({ ...notice, next_at: new Date('2026-01-01') })
      .execute(),
  );

  const moved = await move();
  t.equal(moved.code, 0, moved.errors);
  t.match(moved.output, /^Copied \d+ rows to /);
  const keyFile = /SECRET_KEY_FILE=(\S+)/.exec(moved.output)?.[1] ?? '';
  t.equal(keyFile, join(trial.DATA_DIR, 'secret.key'), 'it says where the key is');
  t.notMatch(moved.output, 'postgres:postgres', 'and repeats no password');
  t.ok(existsSync(join(trial.DATA_DIR, 'db')), 'the trial is left as it was');
  t.match(await move(), { code: 1, errors: /not empty: its table \w+ has rows/ }, 'twice is refused');

  await withStorage(real, async ({ db }) => {
    const rows = await db.selectFrom('logout_notices').selectAll().execute();
    t.match(rows, [notice], 'apps that are still to be told of a logout are told from there');
  });
  const after = await startOn(t, real, { SECRET_KEY: '', SECRET_KEY_FILE: keyFile });
  t.equal(after.running.context.storage.kind, 'postgres');
  t.equal(await after.running.context.sealed.unreadable(), null, 'all that is sealed opens');
  t.ok((await refresh(after, tokens.refresh_token ?? '')).access_token, 'refresh tokens go on');
  t.ok((await signIn(after, after.app, held.user)).tokens.id_token, 'the same password, a code by SMS');
  t.ok(await backupCodeWorks(after, held.user.backupCodes[0] ?? ''), 'and backup codes');
});

t.test('what cannot be moved', async (t) => {
  const trial = newFolder(t);
  const real = await emptyPlace(t, 'postgres');
  const move = (to: string, env: Record<string, string> = {}) =>
    sallyport({ ...trial, ...env }, ['database', 'move', '--to', to]);
  t.match(await move(real.DATABASE_URL ?? ''), { code: 1, errors: /There is no embedded database in/ });
  t.notOk(existsSync(trial.DATA_DIR), 'and none is made');

  t.equal((await sallyport({ ...trial }, ['migrate'])).code, 0);
  t.match(await move('mysql://somewhere'), { code: 1, errors: /DATABASE_URL: must begin with postgres/ });
  t.match(await move('postgres://127.0.0.1:1/nowhere'), { code: 1, errors: /out of reach/ });
  t.match(await sallyport({ ...trial }, ['database', 'move']), { code: 2 }, 'it has to be told where to');
});
