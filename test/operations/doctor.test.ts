import { sql } from 'kysely';
import t from 'tap';
import { sallyport } from '../cli/support.ts';
import { freePort, postgresUrl, standard, startGateway, testEnvironment } from '../helpers/gateway.ts';

t.test('doctor: a sound installation, and what is wrong with others', async (t) => {
  const gateway = await startGateway(t, { databaseUrl: await postgresUrl(t) });
  const { env } = gateway;
  const sound = await sallyport({ ...env, ISSUER: 'https://login.example.com' }, ['doctor']);
  t.equal(sound.code, 0, sound.errors);
  for (const about of ['issuer', 'cookies', 'database', 'clock', 'secrets', 'keys', 'providers']) {
    t.match(sound.output, new RegExp(`^ok {7}${about} `, 'm'), about);
  }
  t.match(sound.output, /^warning .*trustedProxies is empty/m);

  const until = new Date(Date.now() + 60_000);
  const counted = { window_start: until, failures: 0, accepted: 0, openings: 1, open_until: until };
  const { db } = gateway.running.context.storage;
  const broken = { provider_id: 'main', ...counted, reason: 'it has failed too often' };
  await db.insertInto('provider_breakers').values(broken).execute();
  const alone = await sallyport(env, ['doctor']);
  t.equal(alone.code, 0, alone.errors);
  t.match(
    alone.output,
    /^warning {2}providers +main \(sms\) is not asked until \S+: it has failed too often/m,
  );

  const [seals, first] = [`second:${Buffer.alloc(32, 9).toString('base64')}`, env.SECRET_KEY ?? ''];
  const rotated = await sallyport({ ...env, SECRET_KEY: `${seals},default:${first}` }, ['doctor']);
  t.equal(rotated.code, 0, rotated.errors);
  t.match(
    rotated.output,
    /^ok {7}secrets +the key default is still needed, by 4 signing keys, 1 providers, 3 backup codes$/m,
  );
  await db.updateTable('backup_codes').set({ code_hash: sql`'gone.' || id` }).execute();
  const dropped = await sallyport(env, ['doctor']);
  t.match(dropped, {
    code: 0,
    output: /^warning {2}secrets +3 backup codes are of no use without the key gone: add/m,
  });

  const otherKey = { ...env, SECRET_KEY: `other:${Buffer.alloc(32, 8).toString('base64')}` };
  const lost = await sallyport(otherKey, ['doctor']);
  t.equal(lost.code, 1);
  t.match(lost.output, /^ERROR {4}secrets .*does not open/m);

  await gateway.sms.close();
  const deaf = await sallyport(env, ['doctor']);
  t.equal(deaf.code, 1);
  t.match(deaf.output, /^ERROR {4}providers +main \(sms\): 127\.0\.0\.1:\d+ takes no connection/m);
  t.match(deaf.errors, /^1 thing to mend/);

  const nowhere = `postgres://sallyport:secret-of-it@127.0.0.1:${await freePort()}/none`;
  const gone = await sallyport({ ...env, DATABASE_URL: nowhere }, ['doctor']);
  t.equal(gone.code, 1);
  t.match(gone.output, /^ERROR {4}database /m);
  t.notMatch(gone.output, 'secret-of-it');
});

t.test('doctor names tables that are missing', async (t) => {
  const files = standard('http://127.0.0.1:9/');
  const env = await testEnvironment(t, { databaseUrl: null }, files);
  const { code, output } = await sallyport({ ...env, DATA_DIR: t.testdir() }, ['doctor']);
  t.equal(code, 1);
  t.match(output, /^ERROR {4}database .*migrat/m);
});
