import t from 'tap';
import type { Channel, Words, WordsRequest } from '../../../src/delivery/types.ts';
import type { MessageDocument } from '../../../src/delivery/wording/document.ts';
import { parseText } from '../../../src/delivery/wording/template.ts';
import { entriesOf, wordsOf } from '../../../src/delivery/wording/wordings.ts';

const host = 'id.example';
const base: WordsRequest = {
  ...{ channel: 'email', purpose: 'login-code', app: { id: 'shop', name: 'Demo shop' } },
  ...{ locale: 'de-AT', code: '493817', minutes: 5 },
  otherwise: { text: 'built in 493817', subject: 'built in' },
};
const said = (entries: MessageDocument[], request: Partial<WordsRequest> = {}): Words =>
  wordsOf(entriesOf(entries), { ...base, ...request }, host);
/** What an SMS says above its last line. */
const sms = (entries: MessageDocument[], request: Partial<WordsRequest> = {}): string =>
  said(entries, { channel: 'sms', ...request }).text;

t.test('the most specific entry wins', async (t) => {
  const all: [name: string, document: MessageDocument][] = [
    ['default', {}],
    ['purpose', { purpose: 'login-code' }],
    ['channel', { channel: 'email' }],
    ['channel and purpose', { channel: 'email', purpose: 'login-code' }],
    ['language', { locale: 'de' }],
    ['language and channel', { locale: 'de', channel: 'email' }],
    ['region', { locale: 'de-AT' }],
    ['app', { app: 'shop' }],
    ['app and purpose', { app: 'shop', purpose: 'login-code' }],
    ['app and channel', { app: 'shop', channel: 'email' }],
    ['app and language', { app: 'shop', locale: 'de' }],
    ['app and region', { app: 'shop', locale: 'DE-at' }],
    ['everything', { app: 'shop', locale: 'de-AT', channel: 'email', purpose: 'login-code' }],
  ];
  const entries = all.map(([name, document]) => ({ ...document, text: `${name} {{code}}` }));
  for (const [index, [name]] of all.entries())
    t.equal(said(entries.slice(0, index + 1)).text, `${name} 493817`, `${name} before what is less so`);
  t.equal(said(entries.toReversed()).text, 'everything 493817', 'in whatever order they stand');

  for (const [name, other] of [
    ['another app', { app: 'bank' }],
    ['another language', { locale: 'fr' }],
    ['another region', { locale: 'de-CH' }],
    ['another channel', { channel: 'sms' }],
    ['another purpose', { purpose: 'enrol-code' }],
  ] as [string, MessageDocument][])
    t.equal(said([{ ...other, text: 'no {{code}}' }]).text, 'built in 493817', name);
  t.equal(said([{ app: 'shop', text: 'no {{code}}' }], { app: null }).text, 'built in 493817');
});

t.test('each member comes from the most specific entry that has it', async (t) => {
  const entries: MessageDocument[] = [
    { transliterate: true, subject: 'Code' },
    { locale: 'de', text: '„{{app}}“: {{code}}' },
    { app: 'shop', subject: '{{app}}: {{minutes}} min, {{host}}' },
    { app: 'shop', channel: 'sms', autofill: false },
  ];
  t.strictSame(said(entries), { text: '„Demo shop“: 493817', subject: 'Demo shop: 5 min, id.example' });
  t.equal(sms(entries), '"Demo shop": 493817');
  t.strictSame(said(entries, { app: { id: 'bank', name: 'Bank' }, locale: 'en' }), {
    text: 'built in 493817',
    subject: 'Code',
  });
});

t.test('values stand as they are, whatever they hold', async (t) => {
  for (const name of ['{{code}}', '$1 $& $ctx.otp', '{{{{app}}}}', 'שלום 💌', '<b>&amp;', "O'Brien \\n"]) {
    const app = { id: 'shop', name };
    t.equal(
      said([{ text: '{{ app }}|{{code}}|{{minutes}}|{{host}}' }], { app }).text,
      `${name}|493817|5|id.example`,
    );
  }
  t.equal(said([{ text: '{{app}} {{code}}' }], { app: null }).text, 'id.example 493817');
  const bad = { id: 'shop', name: 'A\r\nBcc: x@evil.example' };
  t.equal(said([{ subject: '{{app}}' }], { app: bad }).subject, 'A Bcc: x@evil.example', 'one line');
});

t.test('the last line by which browsers fill the code in', async (t) => {
  const line = '@id.example #493817';
  const cases: [name: string, entries: MessageDocument[], text: string][] = [
    ['of what is built in', [], `built in 493817\n\n${line}`],
    ['of a text', [{ text: '{{code}}.\n\n' }], `493817.\n\n${line}`],
    ['once', [{ text: 'Code {{code}}\n@{{host}} #{{code}}\n' }], `Code 493817\n${line}`],
    ['not where it is not wanted', [{ autofill: false }], 'built in 493817'],
    ['wanted again', [{ autofill: false }, { app: 'shop', autofill: true }], `built in 493817\n\n${line}`],
    [
      'behind another that looks like it',
      [{ text: '{{code}}\n@evil.example #1' }],
      `493817\n@evil.example #1\n\n${line}`,
    ],
    ['as it is', [{ text: '“{{code}}”', transliterate: true }], `"493817"\n\n${line}`],
  ];
  for (const [name, entries, text] of cases) {
    t.equal(sms(entries), text, name);
    if (!name.includes('not wanted')) t.match(text, /\n@id\.example #493817$/);
  }
  for (const channel of ['voice', 'email'] as Channel[])
    t.equal(said([], { channel }).text, 'built in 493817', `none by ${channel}`);
  for (const channel of ['voice', 'sms'] as Channel[])
    t.equal(said([{ subject: 'x' }], { channel }).subject, null, `no subject by ${channel}`);
});

t.test('GSM alphabet where all can be replaced, else nothing', async (t) => {
  const entries: MessageDocument[] = [{ transliterate: true, text: '“{{app}}” – {{code}}…' }];
  const named = (name: string) => sms(entries, { app: { id: 'shop', name } }).split('\n')[0];
  t.equal(named('Café Ñandú'), '"Café Ñandu" - 493817...');
  t.equal(named('Привет'), '“Привет” – 493817…');
  t.equal(sms([{ text: '“{{code}}”' }]).split('\n')[0], '“493817”', 'only where it is asked for');
  const words = said(entries, { channel: 'email' });
  t.equal(words.text, '“Demo shop” – 493817…', 'a mail has all of Unicode');
});

t.test('what a text may hold', async (t) => {
  const known = 'known here: {{code}}, {{app}}, {{minutes}} and {{host}}';
  const cases: [text: string, faults: string[]][] = [
    ['{{code}} {{ app }} {{minutes}} {{host}}', []],
    ['costs $5, {not}, } and { are text: {{code}}', []],
    ['{{cod}}', [`unknown placeholder {{cod}} (did you mean {{code}}?); ${known}`]],
    ['{{otp}}', [`unknown placeholder {{otp}} (did you mean {{code}}?); ${known}`]],
    [
      '{{constructor}} {{user}}',
      [`unknown placeholder {{constructor}}; ${known}`, `unknown placeholder {{user}}; ${known}`],
    ],
    ['{code}', [`unknown placeholder {code} (did you mean {{code}}?); ${known}`]],
    ['$ctx.app.name', [`unknown placeholder $ctx.app.name (did you mean {{app}}?); ${known}`]],
    ['$secret.token', [`unknown placeholder $secret.token; ${known}`]],
    ['{{code', ['no }} follows on a {{']],
    ['{{}}', [`unknown placeholder {{}}; ${known}`]],
  ];
  for (const [text, faults] of cases) t.strictSame(parseText(text).faults, faults, text);
});
