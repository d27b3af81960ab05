/*
 * What gateways of earlier versions have left behind: every database in test/fixtures/schema comes forward, and the
 * people and applications in it notice nothing.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { demandEmpty, writeSnapshot } from '../../src/storage/copy/tables.ts';
import { readBackup } from '../../src/storage/index.ts';
import { oauthError, signIn } from '../helpers/relying-party.ts';
import { fixtures, movedToNow, readHeld } from './fixture.ts';
import { backupCodeWorks, emptyPlace, refresh, startOn, withStorage } from './support.ts';

const names = readdirSync(fixtures)
  .filter((file) => file.endsWith('.jsonl'))
  .map((file) => file.slice(0, -'.jsonl'.length));
t.ok(names.includes('0001-first-login'), 'the first one is there');

for (const name of names) {
  const held = readHeld(name);
  const file = join(fixtures, `${name}.jsonl`);

  for (const kind of ['postgres', 'embedded'] as const) {
    await t.test(`${name} on ${kind}`, async (t) => {
      const place = await emptyPlace(t, kind);
      const rows = await readBackup(file, (snapshot) =>
        withStorage(place, (storage) => storage.restore(movedToNow(snapshot, held.takenAt, new Date()))),
      );
      t.ok(rows > 50, `${rows} rows`);
      const gateway = await startOn(t, place);

      t.equal(await gateway.running.context.sealed.unreadable(), null, 'all that is sealed opens');
      const attempt = await gateway.app.begin();
      const { headers } = await fetch(attempt.url, {
        redirect: 'manual',
        headers: { cookie: `${held.session.cookie}=${held.session.value}` },
      });
      const back = new URL(headers.get('location') ?? '', gateway.issuer);
      t.ok(gateway.app.isCallback(back), 'the session of before needs no login');
      t.same((await gateway.app.exchange(attempt, back)).claims()?.amr, ['pwd', 'sms', 'mfa']);

      const renewed = await refresh(gateway, held.refreshToken);
      t.ok(renewed.refresh_token, 'a refresh token of before works');
      const { tokens } = await signIn(gateway, gateway.app, held.user);
      t.equal(tokens.claims()?.acr, 'urn:sallyport:acr:2', 'password and code');
      t.ok(await backupCodeWorks(gateway, held.backupCode), 'password and backup code');
      t.notOk(await backupCodeWorks(gateway, held.backupCode), 'which worked once');
      t.notOk(await backupCodeWorks(gateway, held.usedBackupCode), 'and one that was used before never');
      t.equal(await oauthError(refresh(gateway, held.usedRefreshToken)), 'invalid_grant');
      t.equal(
        await oauthError(refresh(gateway, renewed.refresh_token ?? '')),
        'invalid_grant',
        'a refresh token that was replaced before ends its family still',
      );
    });
  }

  await t.test(`an instance that knows ${name} writes into today's tables`, async (t) => {
    // While instances are replaced one by one, the older ones work on what the newer one has migrated.
    await withStorage(await emptyPlace(t, 'postgres'), async (storage) => {
      await storage.migrate();
      await demandEmpty(storage.db);
      const rows = await readBackup(file, (snapshot) => writeSnapshot(storage.db, snapshot));
      t.ok(rows > 50, 'no column was added that an older version had to fill');
    });
  });
}
