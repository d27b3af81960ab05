import t from 'tap';
import { normalisePhone, readIdentifier } from '../../src/users/identifiers.ts';

t.test('what somebody types is a user name, an address or a number, never two of them', (t) => {
  const cases: [typed: string, kind: string, key: string][] = [
    ['Ada', 'username', 'ada'],
    ['  Ada ', 'username', 'ada'],
    ['ＡＤＡ', 'username', 'ada'],
    ['10042', 'username', '10042'],
    ['Ada@Example.Test', 'email', 'ada@example.test'],
    ['@', 'email', '@'],
    ['+49 (0)176 0406-9000', 'phone', '+4917604069000'],
    ['0049 176 04069000', 'phone', '+4917604069000'],
    ['+1 202 555 0100', 'phone', '+12025550100'],
    ['＋１２０２５５５０１００', 'phone', '+12025550100'],
    ['0176 04069000', 'phone', '017604069000'],
  ];
  for (const [typed, kind, key] of cases) t.strictSame(readIdentifier(typed), { kind, key }, typed);
  t.end();
});

t.test('numbers are kept in E.164', (t) => {
  t.equal(normalisePhone('+1 (500) 555-0006'), '+15005550006');
  t.equal(normalisePhone('+44 7700 900123'), '+447700900123', 'fictional ranges are let through');
  t.equal(normalisePhone('0412 345 678', 'AU'), '+61412345678');
  for (const wrong of ['', '+', '12', '+1', 'abc', '0176 04069000', '+99999999999999999']) {
    t.equal(normalisePhone(wrong), null, wrong);
  }
  t.end();
});
