import t from 'tap';
import { describe, wantsTwo } from '../../src/flows/engine/describe.ts';
import type { Factor } from '../../src/sessions/types.ts';

const factor = (method: string, kind: Factor['kind'], amr: string[], at: number): Factor => ({
  ...{ method, kind, amr, at },
});
const password = factor('password', 'knowledge', ['pwd'], 1);
const sms = factor('sms-otp', 'possession', ['sms'], 2);
const backup = factor('backup-code', 'recovery', ['otp'], 3);
const email = factor('email-otp', 'possession', ['otp'], 3);
const totp = factor('totp', 'possession', ['otp'], 3);

t.test('amr and acr', async (t) => {
  const cases: [name: string, factors: Factor[], amr: string[], acr: string][] = [
    ['a password', [password], ['pwd'], '1'],
    ['password and code', [password, sms], ['pwd', 'sms', 'mfa'], '2'],
    ['in the order passed', [sms, password], ['pwd', 'sms', 'mfa'], '2'],
    ['a code, then a password', [{ ...password, at: 9 }, sms], ['sms', 'pwd', 'mfa'], '2'],
    ['a backup code is something one has', [password, backup], ['pwd', 'otp', 'mfa'], '2'],
    ['two of one kind are one', [sms, totp, backup], ['sms', 'otp'], '1'],
    ['a mailbox is nothing one has', [password, email], ['pwd', 'otp'], '1'],
    ['who it is, is no factor', [factor('identify', 'identify', [], 0), sms], ['sms'], '1'],
    [
      'a key that verified its user',
      [factor('passkey', 'possession', ['hwk', 'user'], 1)],
      ['hwk', 'user', 'mfa'],
      '2-phr',
    ],
    ['a key that did not', [factor('passkey', 'possession', ['hwk'], 1)], ['hwk'], '1'],
  ];
  for (const [name, factors, amr, acr] of cases) {
    t.same(describe(factors), { amr, acr: `urn:sallyport:acr:${acr}` }, name);
  }
});

t.test('whether an app insists on two factors', async (t) => {
  const [one, two, best] = ['1', '2', '2-phr'].map((name) => `urn:sallyport:acr:${name}`) as [
    string,
    string,
    string,
  ];
  for (const [acr, insists] of [
    [[], false],
    [['urn:other:gold'], false],
    [[two], true],
    [[best, one], true],
    [[one, two], false],
    [['urn:other:gold', two], true],
    [['urn:other:gold', one, two], false],
    [['toString', two], true],
  ] as [string[], boolean][]) {
    t.equal(wantsTwo(acr), insists, acr.join(' '));
  }
});
