import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { refreshTokenGrant } from 'openid-client';
import t from 'tap';
import { alice, eachDatabaseUrl, shop, startGateway } from '../helpers/gateway.ts';
import { createTestApp, oauthError, openLogin, passPassword, signIn } from '../helpers/relying-party.ts';
import { sallyport, temporary } from './support.ts';

await eachDatabaseUrl(t, async (t, databaseUrl) => {
  const gateway = await startGateway(t, { databaseUrl });
  const { db } = gateway.running.context.storage;
  const app = await createTestApp(gateway, shop);
  const command = (...args: string[]) => sallyport(gateway.env, ['user', ...args]);
  const file = join(temporary(t), 'codes');
  const list = (text: string, name = 'alice') => {
    writeFileSync(file, text);
    return command('backup-codes', name, file);
  };
  const events = async (name: string) => {
    const rows = await db
      .selectFrom('audit_events')
      .select(['actor', 'data', 'reason'])
      .where('name', '=', name)
      .orderBy('at', 'desc')
      .execute();
    return rows;
  };
  const refreshOf = ({ tokens }: Awaited<ReturnType<typeof signIn>>) =>
    oauthError(refreshTokenGrant(app.configuration, tokens.refresh_token ?? ''));
  const offline = { scope: 'openid offline_access' };

  await t.test('backup codes of another identity server', async (t) => {
    const before = await signIn(gateway, app, alice, offline);
    t.match(await list('10300,21390\n10-300, KTQ7X-M3WPQ\n'), {
      code: 0,
      output:
        'alice has 3 backup codes, 2 of them so short that they lock sooner; those of before are void.\n',
    });
    t.equal(await refreshOf(before), 'invalid_grant', 'what was opened before is at an end');
    t.match(await events('backup_codes.created'), [{ actor: /^cli/, data: { count: 3, short: 2 } }]);
    for (const [text, errors] of [
      ['', /^codes: are none/],
      [' , \n', /^codes: are none/],
      [`1,${'2'.repeat(65)}`, /^codes\[1\]: is longer than 64/],
      ['7K0D1-XW3QP,N7GQD-RX3WC,-', /^codes\[2\]: is empty/],
    ] as const) {
      t.match(await list(text), { code: 1, errors }, JSON.stringify(text));
    }
    t.match(await command('backup-codes', 'alice', join(file, 'absent')), { code: 1, errors: /absent/ });
    t.match(await list('10300', 'nobody'), { code: 1, errors: /There is no user 'nobody'/ });
    t.equal((await events('backup_codes.created')).length, 1, 'nothing of that was done');
  });

  await t.test('the code switched off', async (t) => {
    t.match(await command('code', 'alice', 'off'), {
      code: 0,
      output: 'The code by message is off for alice.\n',
    });
    t.match(await command('code', 'alice', 'off'), { output: /was off for alice already/ });
    const past = await passPassword(app, await openLogin(app), alice);
    const done = await past.browser.submit(past.page, { code: '21 390' }, app.isCallback);
    t.ok(app.isCallback(done.url), 'a backup code of the list is asked for, and passes');
    t.match(await events('user.code_off'), [{ actor: /^cli/, data: { until: null } }]);

    t.match(await command('code', 'alice', 'off', '--until', '2099-12-31'), {
      output: 'The code by message is off until 2099-12-31 for alice.\n',
    });
    t.match(await events('user.code_off'), [{ data: { until: '2100-01-01T00:00:00.000Z' } }, {}]);
    for (const day of ['2026-02-30', '2020-01-01', 'tomorrow']) {
      t.match(await command('code', 'alice', 'off', '--until', day), { code: 1, errors: /^until: “/ }, day);
    }
    t.match(await command('code', 'alice', 'on'), { output: 'The code by message is on for alice.\n' });
    t.match(await command('code', 'alice', 'on'), { output: /was on for alice already/ });
    t.match(await command('code', 'alice', 'maybe'), { code: 2 });
    t.match(await command('code', 'nobody', 'on'), { code: 1, errors: /There is no user 'nobody'/ });
    await signIn(gateway, app, alice);
  });

  await t.test('new codes, shown once', async (t) => {
    const { code, output } = await command('backup-codes', alice.phone);
    t.equal(code, 0);
    const codes = output.match(/^[0-9A-Z]{5}-[0-9A-Z]{5}$/gm) ?? [];
    t.equal(new Set(codes).size, 10);
    const rows = await db.selectFrom('backup_codes').select('code_hash').execute();
    t.equal(rows.length, 10, 'those of before are void');
    t.notOk(JSON.stringify(await events('backup_codes.created')).includes(codes[0] ?? ''));
  });

  await t.test('a copy of what is kept', async (t) => {
    const { code, output } = await command('export', 'alice');
    t.equal(code, 0);
    t.match(JSON.parse(output), { profile: { username: 'alice' }, factors: { backupCodesLeft: 10 } });
    t.notMatch(output, /\$argon2|code_hash/);
    t.match(await events('admin.data_exported'), [{ actor: /^cli/ }]);
    t.match(await command('export', 'nobody'), { code: 1, errors: /There is no user/ });
  });

  await t.test('removed at once', async (t) => {
    const before = await signIn(gateway, app, alice, offline);
    t.match(await command('delete', 'alice'), { code: 2, errors: /--yes/ });
    t.match(await command('delete', 'alice', '--yes'), { code: 0, output: /^alice is gone\./ });
    t.equal(await refreshOf(before), 'invalid_grant');
    for (const table of ['users', 'backup_codes', 'sessions', 'logins', 'messages'] as const) {
      const { n } = await db
        .selectFrom(table)
        .select(({ fn }) => fn.countAll<number>().as('n'))
        .executeTakeFirstOrThrow();
      t.equal(Number(n), 0, table);
    }
    t.match(await events('user.deleted'), [{ actor: /^cli/, reason: 'by-administrator' }]);
    t.match(await command('delete', 'alice', '--yes'), { code: 1, errors: /There is no user 'alice'/ });
    const past = await passPassword(app, await openLogin(app), alice);
    t.notOk(app.isCallback(past.page.url));
  });
});
