import t from 'tap';
import { createValidator } from '../../src/config/index.ts';
import type { View } from '../../src/flows/method.ts';
import { methods } from '../../src/flows/methods/index.ts';
import type { Text } from '../../src/lib/texts.ts';
import type { OtpSettings } from '../../src/otp/types.ts';
import { userOf } from '../flows/world.ts';

/** What every registered method must keep to. A new one is tested here before its author has written a line. */

const codes = (): OtpSettings => ({
  ...{ length: 6, alphabet: 'numeric', expiresMs: 300_000, attempts: 5, resendAfterMs: 30_000, resends: 5 },
});

const sent = { codeId: 'otp_1', at: 0, count: 1, suffix: '', last2: '67', refused: null };

/** The states in which a method's page can be. */
const views: Record<string, Partial<View>> = {
  'at first': {},
  'with a name': { name: 'ada' },
  'with a hint': { hint: 'ada' },
  'while setting up': { enrol: true, proved: true },
  'while setting up with another device': {
    ...{ enrol: true, proved: true, settings: { digits: 8 } },
    figure: {
      ...{ href: 'otpauth://totp/x', size: 25, path: 'M4 4h1v1h-1z', alt: { key: 'totp.picture' } },
      ...{ open: { key: 'totp.open' }, typing: { label: { key: 'totp.key' }, value: 'ABCD' } },
    },
  },
  'a number was typed': {
    enrol: true,
    proved: true,
    scratch: { phone: 'sealed', last2: '67', numbers: 1 },
    sent,
  },
  sent: { proved: true, sent, delivery: 'accepted' },
  'not sent': { proved: true, sent, delivery: 'unavailable' },
  'not sent, and no other way': { proved: true, sent, delivery: 'unavailable', alone: true },
  unknown: { proved: true, sent, delivery: 'unknown' },
  'refused for a while': { proved: true, sent: { ...sent, refused: { reason: 'number', until: 200_000 } } },
  'refused before anything was sent': {
    proved: true,
    sent: { ...sent, codeId: null, count: 0, refused: { reason: 'number', until: 200_000 } },
  },
  'refused for good': { proved: true, sent: { ...sent, refused: { reason: 'too-many', until: null } } },
  'sent to one of two numbers': {
    ...{ proved: true, sent: { ...sent, number: 'second' }, delivery: 'accepted' },
    fact: { first: '22', second: '67' },
  },
  'before any factor': { sent: { ...sent, last2: null }, fact: { first: '22', second: '67' } },
};

const view = (members: Partial<View>): View => ({
  ...{ settings: {}, codes, name: null, hint: null, enrol: false, proved: false, scratch: {}, sent: null },
  ...{ delivery: null, typed: {}, now: 100_000, locale: 'en', fact: undefined, alone: false },
  ...members,
});

function textsIn(value: unknown): Text[] {
  if (Array.isArray(value)) return value.flatMap(textsIn);
  if (typeof value !== 'object' || value === null) return [];
  if ('key' in value && typeof value.key === 'string') return [value as Text];
  return Object.values(value).flatMap(textsIn);
}

const placeholders = (sentence: unknown): string[] =>
  [...JSON.stringify(sentence).matchAll(/\{(\w+)\}/g)].map(([, name]) => name ?? '');

const accepts = (schema: object, value: object) => createValidator(schema)(value).faults.length === 0;

for (const [id, method] of methods) {
  t.test(id, async (t) => {
    t.equal(method.id, id);
    t.match(id, /^[a-z]+(-[a-z]+)*$/);
    t.ok(
      Object.keys(method.texts).every((key) => key.startsWith(`${id}.`)),
      'its texts carry its name',
    );
    t.ok(method.texts[method.label.key], 'its name is a text of its own');
    t.ok(accepts(method.options, {}), 'a flow may name it without settings');
    t.notOk(accepts(method.options, { surely: 'unknown' }), 'a misspelt setting is refused');
    t.ok(accepts(method.input, {}), 'an empty form is a matter of a kind sentence');
    t.notOk(
      accepts(method.input, { code: 'x'.repeat(5000), username: 'x'.repeat(5000) }),
      'inputs are bounded',
    );
    t.equal(method.kind === 'identify' || method.kind === 'recovery' || method.amr.length > 0, true);

    const everyone = [userOf(), userOf({ phone: null, hasPassword: false })];
    for (const user of everyone) {
      const { is } = method.available({ settings: {}, user, fact: undefined });
      t.ok(['yes', 'no', 'enrol'].includes(is));
      t.ok(is !== 'enrol' || method.enrols);
    }
    if (method.channel !== null) t.ok(method.begin, 'a message is sent on entering');
    if (method.figure) t.ok(method.enrols, 'a secret is shown only to whom it is made for');

    for (const [name, members] of Object.entries(views)) {
      const screen = method.screen(view(members));
      const known = Object.keys((method.input as { properties?: object }).properties ?? {});
      t.ok(
        screen.fields.every((field) => known.includes(field.name)),
        `${name}: what is shown can be sent`,
      );
      t.ok(screen.fields.filter(({ focus }) => focus).length <= 1, `${name}: one field is ready for typing`);
      const primaries = screen.actions.filter(({ style }) => style === 'primary');
      t.ok(
        primaries.length <= 1 && screen.actions.indexOf(primaries[0] as never) <= 0,
        `${name}: one way on, first`,
      );
      t.ok(screen.actions.length > 0, `${name}: no dead end`);
      t.ok(!screen.figure || members.figure, `${name}: it shows no other picture than it was given`);
      for (const { key, values = {} } of textsIn(screen)) {
        const sentence = method.texts[key];
        t.ok(sentence, `${name}: ${key} is a text`);
        t.same(
          placeholders(sentence).filter((one) => !(one in values)),
          [],
          `${name}: ${key} has its values`,
        );
      }
      if (!view(members).proved && members.sent) {
        t.notMatch(JSON.stringify(screen), '67', 'no digit of a number before a factor was passed');
      }
    }
  });
}
