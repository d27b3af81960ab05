/** What the page of a code says when things do not go well: nothing that is not true. */
import t from 'tap';
import type { Sent, View } from '../../src/flows/method.ts';
import { methods } from '../../src/flows/methods/index.ts';
import { createLocales } from '../../src/http/locales.ts';
import { viewsDir } from '../helpers/http.ts';

const now = 100_000;
const sent: Sent = { suffix: '', codeId: 'otc_1', at: now, count: 1, last2: '67', refused: null };
const codes: View['codes'] = () => ({
  ...{ length: 6, alphabet: 'numeric', expiresMs: 300_000, attempts: 5, resendAfterMs: 30_000, resends: 5 },
});

/** The keys of what stands on the page, and what can be pressed. */
function pageOf(members: Partial<View>) {
  const screen = methods.get('sms-otp')?.screen({
    ...{ settings: {}, codes, name: null, hint: null, enrol: false, proved: true, scratch: {}, sent },
    ...{ delivery: null, typed: {}, now, locale: 'en', fact: undefined, alone: false },
    ...members,
  });
  return {
    texts: [screen?.heading, screen?.sentence, ...(screen?.notices ?? []).map(({ text }) => text)].flatMap(
      (text) => (text ? [text.key.replace('sms-otp.', '')] : []),
    ),
    fields: screen?.fields.map(({ name }) => name),
    actions: screen?.actions.map(({ name, style }) => `${name} ${style}`),
    waits: screen?.actions.find(({ enabledAt }) => enabledAt)?.enabledAt,
  };
}

t.test('sent: where to, and the field', async (t) => {
  t.match(pageOf({ delivery: 'accepted' }), {
    ...{ texts: ['heading', 'sentTo'], fields: ['code'] },
    actions: ['submit primary', 'resend secondary', 'not-mine link'],
  });
});

t.test('the first message was not sent: there is nothing to type', async (t) => {
  t.same(pageOf({ delivery: 'unavailable' }), {
    ...{ texts: ['headingNone', 'notSent'], fields: [], actions: ['send primary'], waits: now + 30_000 },
  });
  t.match(pageOf({ delivery: 'unavailable', alone: true }), { texts: ['headingNone', 'notSentAlone'] });
  t.match(pageOf({ delivery: 'rejected' }), { texts: ['headingNone', 'rejected'] });
  t.match(pageOf({ delivery: 'rejected', alone: true }), { texts: ['headingNone', 'rejectedAlone'] });
});

t.test('a later one was not sent: the earlier code may be typed', async (t) => {
  t.match(pageOf({ delivery: 'unavailable', sent: { ...sent, count: 2 } }), {
    ...{ texts: ['heading', 'notSent'], fields: ['code'] },
  });
});

t.test('another sign-in has just asked for a code: the button says when', async (t) => {
  const refused = { reason: 'number', until: now + 12_000 };
  t.same(pageOf({ sent: { ...sent, codeId: null, count: 0, refused } }), {
    ...{ texts: ['headingNone', 'wait'], fields: [], actions: ['send primary'], waits: now + 12_000 },
  });
});

t.test('the message counts minutes as people do, in every language', async (t) => {
  const english = methods.get('sms-otp')?.texts ?? {};
  const locales = createLocales(english, `${viewsDir}/locales`);
  const words = { en: /\bminute(s?)\b/, de: /\bMinute(n?)\b/, fr: /\bminute(s?)\b/, es: /\bminuto(s?)\b/ };
  for (const [locale, word] of Object.entries(words)) {
    for (const count of [1, 5]) {
      const values = { code: '123456', app: 'Shop', count };
      const [, plural] = word.exec(locales.translate(locale, { key: 'sms-otp.message', values })) ?? [];
      t.equal(plural !== '', count !== 1, `${locale}, ${count}`);
    }
  }
});

t.test('spoken, and a number that wants nothing', async (t) => {
  t.match(pageOf({ delivery: 'calling' }), { texts: ['heading', 'calling'], fields: ['code'] });
  t.match(pageOf({ delivery: 'delivered' }), { texts: ['heading', 'delivered'], fields: ['code'] });
  t.match(pageOf({ delivery: 'stopped' }), { texts: ['headingNone', 'stopped'], fields: [] });
  t.match(pageOf({ delivery: 'stopped', alone: true }), { texts: ['headingNone', 'stoppedAlone'] });
});

t.test('two numbers: the other one is offered while anything may still go there', async (t) => {
  const fact = { first: '67', second: '22' };
  const there = { ...sent, number: 'second' as const, last2: '22' };
  const never = (number: 'first' | 'second', reason = 'country') => ({ reason, until: null, number });
  const rows: [string, Partial<View>, string[]][] = [
    ['sent to the first', { sent: { ...sent, number: 'first' } }, ['resend', 'send-second']],
    ['sent to the second', { sent: there }, ['resend', 'send-first']],
    [
      'the first cannot be reached',
      { delivery: 'stopped', sent: { ...sent, number: 'first' } },
      ['send', 'send-second'],
    ],
    ['all are sent', { sent: { ...there, count: 6 } }, []],
    ['no more in this login', { sent: { ...there, refused: never('second', 'too-many') } }, []],
    ['none to the other', { sent: { ...there, refused: never('first') } }, ['resend']],
    ['none to this one', { sent: { ...there, codeId: null, refused: never('second') } }, ['send-first']],
    ['before a factor was passed', { proved: false, sent: { ...there, last2: null } }, ['resend']],
    ['while a number is set up', { enrol: true, scratch: { phone: 'sealed' } }, ['resend']],
    ['one number', { fact: null }, ['resend']],
  ];
  for (const [name, members, expected] of rows) {
    const { actions = [], waits } = pageOf({ delivery: 'accepted', fact, ...members });
    t.same(
      actions.flatMap((action) => /^(send|resend|send-\w+) /.exec(action)?.[1] ?? []),
      expected,
      name,
    );
    if (expected.length > 1) t.equal(waits, now + 30_000, 'after the same time');
  }
  const alike = methods.get('sms-otp')?.screen({
    ...{ settings: {}, codes, name: null, hint: null, enrol: false, proved: true, scratch: {}, sent },
    ...{ delivery: null, typed: {}, now, locale: 'en', alone: false, fact: { first: '67', second: '67' } },
  });
  t.match(
    alike?.actions.find(({ name }) => name === 'send-second'),
    { label: { key: 'sms-otp.otherAlike' } },
    'where both end alike',
  );
});
