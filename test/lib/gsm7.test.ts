import t from 'tap';
import { isGsm7, smsLength, toGsm7 } from '../../src/lib/gsm7.ts';

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

t.test('how many messages a text is (as npm sms-segments-calculator 1.3.0 counts)', async (t) => {
  const of = (text: string, times: number) => text.repeat(times);
  const cases: [name: string, text: string, encoding: string, segments: number, units: number][] = [
    ['nothing', '', 'GSM-7', 1, 0],
    ['one, full', of('a', 160), 'GSM-7', 1, 160],
    ['one too many', of('a', 161), 'GSM-7', 2, 161],
    ['two, full', of('a', 306), 'GSM-7', 2, 306],
    ['three', of('a', 307), 'GSM-7', 3, 307],
    ['escapes take two', of('€', 80), 'GSM-7', 1, 160],
    ['and one too many', of('€', 81), 'GSM-7', 2, 162],
    ['the whole extension', '^{}\\[~]|€', 'GSM-7', 1, 18],
    ['an escape on the border', `${of('a', 152)}€${of('b', 8)}`, 'GSM-7', 2, 162],
    ['an escape that would be cut moves on', `${of('a', 152)}€${of('b', 152)}`, 'GSM-7', 3, 306],
    ['one of UCS-2, full', of('я', 70), 'UCS-2', 1, 70],
    ['one too many', of('я', 71), 'UCS-2', 2, 71],
    ['two, full', of('я', 134), 'UCS-2', 2, 134],
    ['three', of('я', 135), 'UCS-2', 3, 135],
    ['pairs', of('😀', 35), 'UCS-2', 1, 70],
    ['pairs, one too many', of('😀', 36), 'UCS-2', 2, 72],
    ['a pair that would be cut moves on', `${of('я', 66)}😀${of('я', 66)}`, 'UCS-2', 3, 134],
    ['a family', '👨‍👩‍👧‍👦', 'UCS-2', 1, 11],
    ['accents that it has not', 'Ææßéèàùìòçñ¿¡£¥§ΔΦΓ', 'UCS-2', 1, 19],
    ['typographic quotes', '“code” – 123456', 'UCS-2', 1, 15],
    ['a tab', 'a\tb', 'UCS-2', 1, 3],
    ['line ends', 'a\r\nb', 'GSM-7', 1, 4],
    ['with a last line', 'Your code is 123456.\n\n@login.example.com #123456', 'GSM-7', 1, 48],
    ['a blank that does not break', 'code\u00a0123456', 'UCS-2', 1, 11],
  ];
  for (const [name, text, encoding, segments, units] of cases)
    t.match(smsLength(text), { encoding, segments, units }, name);
  t.match(smsLength('“Hi” – “you”'), { room: 70, foreign: ['“', '”', '–'] });
  t.match(smsLength('plain'), { room: 160, foreign: [] });
});

t.test('near equivalents, or none at all', async (t) => {
  const cases: [text: string, plain: string | null][] = [
    ['Ihr Code für „Käse & Wein“ – gültig 5 Minuten…', 'Ihr Code für "Käse & Wein" - gültig 5 Minuten...'],
    ['L’appli « Été »\u202f: garçon', 'L\'appli " Été " : garcon'],
    ['cafe\u0301', 'café'],
    ['Łódź, Đà Nẵng, Œuvre, ħ', null],
    ['Łódź, Đà Nẵng, Œuvre', 'Lodz, Dà Nang, OEuvre'],
    ['100 € • [ok]\t№ 1 ™', '100 € * [ok] No 1 TM'],
    ['soft\u00adhyphen \u200bnothing\ufeff', 'softhyphen nothing'],
    ['Ваш код 123456', null],
    ['רמז 123456', null],
    ['“fine” 💌', null],
    ['α', null],
    ['@id.example #493817', '@id.example #493817'],
  ];
  for (const [text, plain] of cases) t.equal(toGsm7(text), plain, text);
});
