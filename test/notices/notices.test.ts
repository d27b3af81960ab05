import { randomBytes } from 'node:crypto';
import t from 'tap';
import { createCrypto } from '../../src/crypto/index.ts';
import type { Channel, NewMessage, OutgoingMessage, StillWanted } from '../../src/delivery/types.ts';
import type { SendAnswer, SendRequest } from '../../src/guard/types.ts';
import { createNotices, texts } from '../../src/notices/index.ts';
import type { NewNotice } from '../../src/notices/types.ts';
import type { Db } from '../../src/storage/types.ts';
import type { User } from '../../src/users/types.ts';
import { openTestHttp } from '../helpers/http.ts';
import { recordingLog } from '../helpers/log.ts';

const { app, http } = await openTestHttp({ texts });
t.teardown(() => app.close());

const now = new Date('2026-03-01T12:00:00Z');
const db = {} as Db;
const secrets = ['123456', '+447700900123', 'alice@example.test'];
const alice = {
  ...{ id: 'usr_1', username: 'alice', name: 'Alice', attributes: {} },
  ...{ email: 'alice@example.test', emailVerified: true, phone: '+447700900123', phoneVerified: true },
} as unknown as User;
const notice: NewNotice = { kind: 'password-changed', locale: 'en', ip: '192.0.2.1' };

function open(channels: Channel[], allowed = true) {
  const asked: SendRequest[] = [];
  const drafted: NewMessage[] = [];
  const sent: string[] = [];
  const settled: unknown[] = [];
  const listeners: StillWanted[] = [];
  const notices = createNotices({
    issuer: new URL('https://login.example'),
    crypto: createCrypto([{ id: 'k1', bytes: randomBytes(32) }]),
    random: randomBytes,
    log: recordingLog(),
    translate: http.translate,
    gateway: () => 'Gate',
    guard: {
      async allowSend(request) {
        asked.push(request);
        const country = request.number ? 'GB' : null;
        return { about: {}, decisions: [], country, allowed, rule: 'number' } as unknown as SendAnswer;
      },
      recordingSend: () => [],
      sendNotNeeded: async (one) => void settled.push(...one),
    },
    delivery: {
      has: (channel) => channels.includes(channel),
      draft(_db, message) {
        drafted.push(message);
        return { message: { ...message, id: message.channel } as unknown as OutgoingMessage, riders: [] };
      },
      async send({ id }) {
        sent.push(id);
        return { status: 'accepted', gatewayId: null };
      },
      onFollowUp: (listener) => void listeners.push(listener),
    },
  });
  return { notices, asked, drafted, sent, settled, listeners };
}

t.test('which way a notice goes', async (t) => {
  const table: [what: string, channels: Channel[], user: Partial<User>, Partial<NewNotice>, string[]][] = [
    ['by mail where that can be', ['email', 'sms'], {}, {}, ['email alice@example.test']],
    ['else by SMS', ['sms'], {}, {}, ['sms +447700900123']],
    ['not to an address that nobody has proved', ['email'], { emailVerified: false }, {}, []],
    ['nor to such a number', ['sms'], { phoneVerified: false }, {}, []],
    ['not by the channel that changed', ['sms'], {}, { notTo: 'sms' }, []],
    ['not by the mail that changed', ['email', 'sms'], {}, { notTo: 'email' }, ['sms +447700900123']],
    [
      'to the number of before, and by mail',
      ['email', 'sms'],
      {},
      { kind: 'phone-changed', phone: ['+447700900999'], values: { last2: '23' }, notTo: 'sms' },
      ['email alice@example.test', 'sms +447700900999'],
    ],
    [
      'to both numbers of before',
      ['email', 'sms'],
      {},
      { kind: 'numbers-swapped', phone: ['+447700900998', '+447700900999'], values: { last2: '98' } },
      ['email alice@example.test', 'sms +447700900998', 'sms +447700900999'],
    ],
    ['nowhere where there was none before', ['sms'], {}, { kind: 'phone-changed', phone: [] }, []],
    ['nowhere without a provider', [], {}, {}, []],
  ];
  for (const [what, channels, user, more, expected] of table) {
    const { drafted, notices } = open(channels);
    const whom = { ...alice, ...user };
    const { riders } = await notices.drafting(db, whom, { ...notice, ...more }, now);
    t.same(
      drafted.map(({ channel, to }) => `${channel} ${to}`),
      expected,
      what,
    );
    t.equal(notices.reaches(whom, { ...notice, ...more }), expected.length > 0, what);
    t.same(riders, []);
  }
});

t.test('every kind says what it is, in every language, and nothing that opens anything', async (t) => {
  const kinds = Object.keys(texts).flatMap((key) => /^notices\.([a-z-]+)\.subject$/.exec(key)?.[1] ?? []);
  t.equal(kinds.length, 16);
  const values = { last2: '23', count: 3, device: 'Firefox, Linux', date: '1 March' };
  for (const kind of kinds as NewNotice['kind'][]) {
    for (const locale of ['en', 'de', 'fr', 'es']) {
      const { drafted, notices } = open(['email', 'sms']);
      await notices.drafting(db, alice, { ...notice, kind, locale, values, phone: ['+447700900123'] }, now);
      t.equal(drafted.length, 2);
      for (const { channel, code, subject, text, to } of drafted) {
        const said = `${subject ?? ''} ${text}`;
        t.notMatch(said, /\{\w+\}|notices\./, `${kind} ${locale} ${channel}`);
        t.match(text, /https:\/\/login\.example\/account/);
        t.equal(code, null);
        for (const secret of [...secrets, to]) t.notOk(said.includes(secret));
      }
      const [mail, sms] = drafted;
      t.match(mail?.subject, /^Gate/);
      t.match(mail?.text, /Alice/);
      t.match(sms?.text, /^Gate/);
    }
  }
});

t.test('the guard is asked, apart from codes, and what it refuses is not sent', async (t) => {
  const { asked, notices, sent, settled } = open(['sms']);
  (await notices.drafting(db, alice, notice, now)).send();
  await notices.drafting(db, alice, { ...notice, kind: 'code-off' }, now);
  t.match(asked, [{ number: alice.phone, userId: null, ip: null, channel: 'sms' }, { number: alice.phone }]);
  t.not(asked[0]?.numberHash, asked[1]?.numberHash, 'one kind cannot keep another one back');
  await new Promise((done) => setImmediate(done));
  t.same(sent, ['sms']);
  t.match(settled, [{ country: 'GB', count: 1 }], 'nobody will type a code of it');

  const refused = open(['sms'], false);
  (await refused.notices.drafting(db, alice, notice, now)).send();
  t.same([refused.drafted, refused.sent], [[], []]);
});

t.test('nobody is rung up because a notice has not arrived', async (t) => {
  const { listeners } = open(['sms']);
  const asks = (purpose: string) => listeners[0]?.(db, { reference: 'x', purpose, loginId: null }, now);
  t.equal(await asks('notice'), false);
  t.equal(await asks('login-code'), true);
});
