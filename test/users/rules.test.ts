import t from 'tap';
import { createPasswords } from '../../src/crypto/index.ts';
import { isShort, normaliseCode, readCodeList } from '../../src/users/backup-codes.ts';
import { faultOfPassword } from '../../src/users/password-rules.ts';
import { faultsOf } from '../../src/users/rules.ts';
import type { NewUser } from '../../src/users/types.ts';

const passwords = createPasswords();
const paths = (user: NewUser, demo = false) => faultsOf(user, { passwords, demo }).map(({ path }) => path);

t.test(
  'password rules: length in code points, common ones, one’s own name, and nothing about composition',
  (t) => {
    const refused: [password: string, why: RegExp][] = [
      ['1234567', /at least 8/],
      ['ééééééé', /at least 8/],
      ['e\u0301'.repeat(7), /at least 8/],
      ['x'.repeat(257), /at most 256/],
      ['password1', /most common/],
      ['PassWord1', /most common/],
      ['qwertyuiop', /most common/],
      ['ada.lovelace', /same as the user name/],
      ['ADA@example.test', /same as the user name/],
      ['correct-horse-demo', /demo/],
    ];
    for (const [password, why] of refused) {
      t.match(
        faultOfPassword(password, { own: ['ada.lovelace', 'ada@example.test'], demo: false }),
        why,
        password.slice(0, 20),
      );
    }
    for (const password of [
      '🦊'.repeat(8),
      'x'.repeat(256),
      'aaaaaaab',
      '      ..',
      'plain words are fine',
    ]) {
      t.equal(faultOfPassword(password, { own: ['ada'], demo: false }), null, password.slice(0, 20));
    }
    t.equal(faultOfPassword('correct-horse-demo', { own: [], demo: true }), null, 'the demo may use its own');
    t.end();
  },
);

t.test('fifteen characters for a password that is the only factor somewhere', async (t) => {
  const fault = (password: string, ...aloneIn: string[]) =>
    faultOfPassword(password, { own: [], demo: false, aloneIn });
  t.equal(fault('fourteen chars'), null, 'eight are enough beside another factor');
  t.equal(
    fault('fourteen chars', 'quick'),
    "must have at least 15 characters, because it is this user's only factor in the flow 'quick' (NIST SP 800-63B-4, section 3.1.1.2)",
  );
  t.match(fault('short', 'a', 'b'), /at least 15 .* in the flows 'a', 'b' /);
  t.match(fault('e\u0301'.repeat(14), 'quick'), /at least 15/, 'composed first');
  t.equal(fault('fifteen chars!!', 'quick'), null);
  t.equal(fault('🦊'.repeat(15), 'quick'), null);
});

t.test('user names that could pass for something else are refused', (t) => {
  for (const username of [
    '',
    'a@b',
    'ada@example.test',
    '+49176',
    '0176 0406900',
    '01760406900',
    'a b',
    'a\u200bb',
    'x'.repeat(129),
  ]) {
    t.strictSame(paths({ username }), ['username'], username);
  }
  for (const username of ['ada', '10042', 'Ähm', '李雷', 'a.b-c_d', 'x'.repeat(128)])
    t.strictSame(paths({ username }), [], username);
  t.end();
});

t.test('every fault of a user at once', (t) => {
  const user = {
    username: 'a b',
    email: 'nowhere',
    phone: '12',
    password: 'short',
    passwordHash: 'md5:abc',
    backupCodes: ['10300', ' - ', 'DEM00C0DE1'],
  };
  t.strictSame(paths(user), [
    'username',
    'email',
    'phone',
    'passwordHash',
    'password',
    'passwordHash',
    'backupCodes[1]',
    'backupCodes[2]',
  ]);
  t.end();
});

t.test('backup codes as people type them', (t) => {
  for (const typed of [
    '7K0D1-XW3QP',
    '7k0d1xw3qp',
    ' 7KOD1 – XW3QP ',
    '7koDl xw3qp',
    '７Ｋ０Ｄ１ＸＷ３ＱＰ',
    '7K0D\u200b1XW3QP',
  ]) {
    t.equal(normaliseCode(typed), '7K0D1XW3QP', typed);
  }
  t.strictSame(readCodeList('10300, 21390,,'), ['10300', '21390']);
  t.strictSame(readCodeList([' 10300 ']), ['10300']);
  t.equal(isShort('10300'), true);
  t.equal(isShort('7K0D1XW3Q'), true);
  t.equal(isShort('7K0D1XW3QP'), false, '50 bits');
  t.equal(isShort('1'.repeat(15)), true);
  t.equal(isShort('1'.repeat(16)), false, 'digits alone carry less');
  t.end();
});
