import { hash as digest, pbkdf2Sync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { createPasswords } from '../../src/crypto/index.ts';

interface Case {
  scheme: string;
  password: string;
  hash?: string;
  wrong?: string;
  salt?: string;
  secretData?: object;
  credentialData?: object;
}

const fixture = join(import.meta.dirname, '../fixtures/password-hashes.json');
const { cases } = JSON.parse(readFileSync(fixture, 'utf8')) as { cases: Case[] };
const passwords = createPasswords({ queue: 1_000 });

/** How a case of the collection is written in `passwordHash`. */
function storedForm({ scheme, hash, salt, secretData, credentialData }: Case): string {
  if (secretData) return JSON.stringify({ secretData, credentialData });
  return scheme.startsWith('wso2') ? `$wso2-sha256$${salt}$${hash}` : (hash ?? '');
}

t.test(
  'every imported form verifies the right password, refuses a wrong one and asks to be replaced',
  async (t) => {
    for (const [index, one] of cases.entries()) {
      const stored = storedForm(one);
      const name = `${index} ${one.scheme}`;
      const cut = one.scheme.startsWith('bcrypt') && Buffer.byteLength(one.password) > 72;
      t.equal(passwords.faultOf(stored), null, `${name}: can be imported`);
      t.strictSame(
        await passwords.verify(stored, one.password),
        { ok: true, rehash: !cut },
        `${name}: right`,
      );
      const wrong = await passwords.verify(stored, one.wrong ?? `${one.password}x`);
      t.strictSame(wrong, { ok: cut, rehash: false }, `${name}: wrong`);
    }
    t.ok(cases.length > 60, 'all of them');
  },
);

t.test('a Keycloak credential may hold its parts as JSON in strings, as its export does', async (t) => {
  const one = cases.find((other) => other.secretData) as Case;
  const stored = JSON.stringify({
    type: 'password',
    secretData: JSON.stringify(one.secretData),
    credentialData: JSON.stringify(one.credentialData),
  });
  t.strictSame(await passwords.verify(stored, one.password), { ok: true, rehash: true });
});

t.test('forms without a published sample', async (t) => {
  const salted = digest('sha512', 'secretSALT', 'buffer');
  const key = pbkdf2Sync('secret', 'salt', 1_000, 32, 'sha1').toString('base64');
  const table = {
    ssha512: `{SSHA512}${Buffer.concat([salted, Buffer.from('SALT')]).toString('base64')}`,
    'django with SHA-1': `pbkdf2_sha1$1000$salt$${key}`,
    // Of the specification's own test vectors, with the rounds written out.
    'sha512-crypt with rounds':
      '$6$rounds=10000$saltstringsaltst$OW1/O6BYHV6BcXZu8QVeXbDWra3Oeqh0sbHbbMCVNSnCM/UrjmM0Dp8vOuZeHBy/YTBmSK6H9qs/y3RnOaw5v.',
  };
  for (const [name, stored] of Object.entries(table)) {
    const password = name.startsWith('sha512') ? 'Hello world!' : 'secret';
    t.strictSame(await passwords.verify(stored, password), { ok: true, rehash: true }, name);
    t.notOk((await passwords.verify(stored, `${password}!`)).ok, `${name}: wrong`);
  }
});

t.test('what cannot be verified, or asks for too much work, is refused with a sentence', async (t) => {
  const b64 = (size: number) => Buffer.alloc(size, 7).toString('base64').replaceAll('=', '');
  const table: [string, RegExp][] = [
    ['', /no password hash/],
    ['hunter2', /no password hash/],
    ['x'.repeat(3_000), /too long/],
    ['$argon2d$v=19$m=1024,t=2,p=1$c29tZXNhbHQ$c29tZXNhbHQ', /no argon2id or argon2i/],
    [`$argon2id$v=19$m=2097152,t=1,p=4$${b64(16)}$${b64(32)}`, /too much work \(m=2097152/],
    [`$argon2id$v=19$m=19456,t=1000,p=1$${b64(16)}$${b64(32)}`, /too much work \(t=1000/],
    [`$argon2id$v=19$m=19456,t=2,p=200$${b64(16)}$${b64(32)}`, /too much work \(p=200/],
    [`$2b$31$${'a'.repeat(53)}`, /too much work \(cost 31/],
    ['$2b$10$short', /no bcrypt/],
    [`$pbkdf2-sha256$99999999$${b64(16)}$${b64(32)}`, /too much work \(99999999/],
    [`$pbkdf2-sha512$1000$${b64(16)}$${b64(600)}`, /too much work \(a key of 600/],
    [`pbkdf2_sha256$99999999$salt$${b64(32)}=`, /too much work/],
    [`$scrypt$ln=25,r=8,p=1$${b64(16)}$${b64(32)}`, /too much work/],
    [`$scrypt$ln=14,r=8,p=99$${b64(16)}$${b64(32)}`, /too much work/],
    [`scrypt:16383:8:1$salt$${'ab'.repeat(32)}`, /no complete scrypt/],
    [`$6$rounds=999999999$salt$${'a'.repeat(86)}`, /too much work/],
    ['$6$salt$short', /no complete sha-crypt/],
    [`$P$z12345678${'a'.repeat(22)}`, /too much work/],
    [`{FSHP1|16|99999999}${b64(48)}`, /too much work/],
    ['{SSHA}QUJD', /no complete/],
    ['{"secretData":{},"credentialData":{"algorithm":"argon2"}}', /algorithm "argon2"/],
    ['{"secretData":7', /no Keycloak/],
  ];
  for (const [stored, fault] of table) {
    t.match(passwords.faultOf(stored), fault, stored.slice(0, 40));
    t.strictSame(await passwords.verify(stored, 'x'), { ok: false, rehash: false }, 'and is never right');
  }
});
