import { randomBytes } from 'node:crypto';
import t from 'tap';
import { createCrypto, sha256 } from '../../src/crypto/index.ts';
import type { SecretKey } from '../../src/lib/secrets.ts';

const key = (id: string, fill: number): SecretKey => ({ id, bytes: Buffer.alloc(32, fill) });

t.test('what was sealed opens only as what it was', async (t) => {
  const crypto = createCrypto([key('k1', 1)]);
  for (const plain of ['', '+15005550006', 'ключ 鍵 🔑', 'x'.repeat(10_000)]) {
    const sealed = crypto.seal('message', plain, 'msg_1');
    t.match(sealed, /^k1\.[A-Za-z0-9_-]+$/);
    t.equal(crypto.open('message', sealed, 'msg_1'), plain);
    t.not(sealed, crypto.seal('message', plain, 'msg_1'), 'never the same twice');
    t.throws(() => crypto.open('message', sealed, 'msg_2'), 'another row');
    t.throws(() => crypto.open('message', sealed), 'no context');
    t.throws(() => crypto.open('provider', sealed, 'msg_1'), 'another purpose');
  }
});

t.test('a sealed value with any bit changed does not open', async (t) => {
  const crypto = createCrypto([key('k1', 1)]);
  const sealed = crypto.seal('provider', 'secret', 'main');
  const bytes = Buffer.from(sealed.slice(3), 'base64url');
  for (let index = 0; index < bytes.length; index++) {
    const changed = Buffer.from(bytes);
    changed[index] = (changed[index] ?? 0) ^ 1;
    t.throws(() => crypto.open('provider', `k1.${changed.toString('base64url')}`, 'main'), `byte ${index}`);
  }
  for (const broken of [
    '',
    '.',
    'k1',
    'k1.',
    'k1.AAAA',
    sealed.slice(0, -4),
    `k2${sealed.slice(2)}`,
    `${sealed}.x`,
  ]) {
    t.throws(() => crypto.open('provider', broken, 'main'), JSON.stringify(broken));
  }
});

t.test('a new key seals, the old one only reads, and a lost one is named', async (t) => {
  const before = createCrypto([key('old', 1)]);
  const sealed = before.seal('message', 'hello');
  const mac = before.mac('otp', 'a', 'b');

  const rotated = createCrypto([key('new', 2), key('old', 1)]);
  t.equal(rotated.open('message', sealed), 'hello');
  t.match(rotated.seal('message', 'hello'), /^new\./);
  t.ok(rotated.verifyMac(mac, 'otp', 'a', 'b'));
  t.match(rotated.mac('otp', 'a', 'b'), /^new\./);
  t.strictSame(
    rotated.macs('otp', 'a', 'b'),
    [rotated.mac('otp', 'a', 'b'), mac],
    'for look-ups of older rows',
  );

  const lost = createCrypto([key('new', 2)]);
  const bound = before.seal('message', 'hello', 'row');
  const renewed = rotated.renewed('message', bound, 'row') ?? '';
  t.equal(lost.open('message', renewed, 'row'), 'hello', 'what was sealed anew needs the old key no more');
  t.equal(rotated.renewed('message', renewed, 'row'), null, 'and is not sealed again');
  t.throws(() => rotated.renewed('message', bound, 'another row'));
  t.throws(() => lost.renewed('message', bound, 'row'), /"old", which SECRET_KEY does not hold/);
  t.throws(() => lost.open('message', sealed), /"old", which SECRET_KEY does not hold/);
  t.notOk(lost.verifyMac(mac, 'otp', 'a', 'b'));
});

t.test('a keyed hash belongs to its purpose, its parts and its key', async (t) => {
  const crypto = createCrypto([key('k1', 1)]);
  const mac = crypto.mac('otp', 'otp_1', '123456');
  t.equal(mac, crypto.mac('otp', 'otp_1', '123456'), 'the same each time');
  t.ok(crypto.verifyMac(mac, 'otp', 'otp_1', '123456'));
  t.notOk(crypto.verifyMac(mac, 'backup-code', 'otp_1', '123456'));
  t.notOk(crypto.verifyMac(mac, 'otp', 'otp_1', '123457'));
  t.notOk(crypto.verifyMac(mac, 'otp', 'otp_11', '23456'), 'parts do not run into each other');
  t.notOk(crypto.verifyMac(mac, 'otp', 'otp_1123456'));
  t.notOk(crypto.verifyMac(mac, 'otp', 'otp_1', '123456', ''));
  t.not(mac, createCrypto([key('k1', 3)]).mac('otp', 'otp_1', '123456'));
  for (const broken of ['', 'k1.', 'k1.AAAA', mac.slice(0, -1), `${mac}A`, mac.replace('k1', 'k9')]) {
    t.notOk(crypto.verifyMac(broken, 'otp', 'otp_1', '123456'), JSON.stringify(broken));
  }
});

t.test('keys that cannot work stop the start', async (t) => {
  t.throws(() => createCrypto([]), /no key/);
  t.throws(() => createCrypto([key('a', 1), key('a', 2)]), /two keys of one id/);
  t.throws(() => createCrypto([{ id: 'a', bytes: randomBytes(31) }]), /not 32 bytes/);
  t.throws(() => createCrypto([{ id: 'a.b', bytes: randomBytes(32) }]), /cannot be a key id/);
});

t.test('sha256 is the hash of RFC 7636, appendix B', async (t) => {
  t.equal(
    sha256('dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk'),
    'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
  );
});
