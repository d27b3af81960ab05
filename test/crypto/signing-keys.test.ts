import { CompactSign, compactVerify, importJWK } from 'jose';
import t from 'tap';
import { createCrypto, createSigningKeys } from '../../src/crypto/index.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { forEachDatabase, postgresOnly } from '../helpers/database.ts';

const crypto = createCrypto([{ id: 'k1', bytes: Buffer.alloc(32, 1) }]);
const keys = createSigningKeys({ crypto, clock: systemClock });

t.test('makes a pair of each algorithm once, that signs and verifies', async (t) => {
  await forEachDatabase(t, async (t, { db }) => {
    const first = await keys.load(db);
    t.strictSame(
      first.map((key) => key.alg),
      ['ES256', 'RS256'],
    );
    t.strictSame(await keys.load(db), first, 'the same the next time');
    for (const { alg, kid, publicJwk, privateJwk } of first) {
      t.match(publicJwk, { alg, kid, use: 'sig' });
      t.notOk('d' in publicJwk, 'nothing private in the public key');
      const signed = await new CompactSign(Buffer.from('x'))
        .setProtectedHeader({ alg, kid })
        .sign(await importJWK(privateJwk, alg));
      await t.resolves(compactVerify(signed, await importJWK(publicJwk, alg)));
    }
    const rows = await db.selectFrom('signing_keys').selectAll().execute();
    t.notMatch(JSON.stringify(rows), first[0]?.privateJwk.d ?? 'd', 'sealed at rest');
  });
});

t.test('sixteen instances that start together agree on one pair', async (t) => {
  await postgresOnly(t, async (t, { db }) => {
    const all = await Promise.all(Array.from({ length: 16 }, () => keys.load(db)));
    const kids = new Set(all.map((loaded) => loaded.map((key) => key.kid).join()));
    t.equal(kids.size, 1);
    t.equal((await db.selectFrom('signing_keys').selectAll().execute()).length, 2);
  });
});

t.test('a retired key is gone, and a newer one signs from its moment on', async (t) => {
  await forEachDatabase(t, async (t, { db }) => {
    const [old] = await keys.load(db);
    const row = await db
      .selectFrom('signing_keys')
      .selectAll()
      .where('alg', '=', 'ES256')
      .executeTakeFirstOrThrow();
    const next = {
      kid: 'next',
      generation: 2,
      private_sealed: crypto.seal('signing-key', '{"d":"x"}', 'next'),
    };
    const add = (at: Date) =>
      db
        .insertInto('signing_keys')
        .values({ ...row, ...next, public_jwk: JSON.stringify(row.public_jwk) as never, signs_from: at })
        .execute();

    await add(new Date(Date.now() + 3_600_000));
    t.strictSame((await keys.load(db)).map((key) => key.kid).slice(0, 2), [old?.kid, 'next'], 'announced');
    await db
      .updateTable('signing_keys')
      .set({ signs_from: new Date(0) })
      .where('kid', '=', 'next')
      .execute();
    t.strictSame((await keys.load(db)).map((key) => key.kid).slice(0, 2), ['next', old?.kid], 'signing');
    await db
      .updateTable('signing_keys')
      .set({ retired_at: new Date() })
      .where('kid', '=', old?.kid ?? '')
      .execute();
    t.strictSame((await keys.load(db)).map((key) => key.kid).slice(0, 1), ['next'], 'alone');
  });
});
