import t from 'tap';
import { isGsm7 } from '../../src/lib/gsm7.ts';

/* 3GPP TS 23.038, section 6.2.1, with the extension table. */

t.test('what septets can carry', async (t) => {
  for (const text of [
    '',
    'Your code is 493817',
    'àèéìòù ÄÖÑÜ§ äöñü ß Ç Ø',
    'ΔΦΓΛΩΠΨΣΘΞ',
    '[]{}\\^~|€',
    '@shop #1\r\n',
  ]) {
    t.ok(isGsm7(text), JSON.stringify(text));
  }
});

t.test('what needs UCS-2', async (t) => {
  for (const text of ['“quoted”', 'it’s', 'ç', 'á', '`', '\t', 'ключ', 'שלום', '💌', 'a\u00a0b', 'α']) {
    t.notOk(isGsm7(text), JSON.stringify(text));
  }
});
