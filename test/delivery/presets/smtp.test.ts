import { readFileSync } from 'node:fs';
import t from 'tap';
import { attempt } from '../../../src/delivery/attempt.ts';
import { examineProviders } from '../../../src/delivery/index.ts';
import type { PreparedSmtp } from '../../../src/delivery/mail/options.ts';
import type { Dispatch } from '../../../src/delivery/preset.ts';
import { smtp } from '../../../src/delivery/presets/smtp.ts';
import type { Provider } from '../../../src/delivery/providers.ts';
import type { Outcome } from '../../../src/delivery/types.ts';
import { forEachDatabase } from '../../helpers/database.ts';
import { silent } from '../../helpers/log.ts';
import { crypto, openBench, rowOf, saveProviders } from '../service-support.ts';
import { references } from '../support.ts';
import { type Replies, startSmtp } from './smtp-server.ts';
import { load, message, tools } from './support.ts';

/* RFC 5321, https://nodemailer.com/smtp/ */

const ca = readFileSync(new URL('../fixtures/localhost.cert.pem', import.meta.url), 'utf8');
const from = 'Demo shop <no-reply@shop.example>';

function document(port: number, options: object = {}, members: object = {}) {
  return {
    ...{ preset: 'smtp', channel: 'email', from, tls: { ca } },
    ...members,
    smtp: { host: 'localhost', port, allowPrivateNetwork: true, ...options },
  };
}

function sender(raw: Record<string, unknown>) {
  const { faults, prepared } = load(raw);
  if (prepared === null) throw new Error(JSON.stringify(faults));
  const direct = { prepared, transport: smtp.transport(prepared as PreparedSmtp) };
  const provider: Provider = {
    ...{ id: 'mail', channel: 'email', preset: smtp, from, broken: null },
    ...{ gateway: null, direct },
  };
  return (sent: Partial<Dispatch> = {}, timeoutMs = 4_000): Promise<Outcome> =>
    attempt(
      provider,
      { ...message, channel: 'email', to: 'ada@home.example', from, ...sent },
      timeoutMs,
      tools,
    );
}

const mail = [
  'Auto-Submitted: auto-generated',
  'Content-Language: en',
  'From: Demo shop <no-reply@shop.example>',
  'To: ada@home.example',
  'Subject: Demo shop',
  'Message-ID: <msg_1@shop.example>',
  'Date: Sun, 01 Mar 2026 10:00:00 +0000',
  'Content-Transfer-Encoding: 7bit',
  'MIME-Version: 1.0',
];

t.test('the bytes, behind STARTTLS', async (t) => {
  const server = await startSmtp(t);
  const send = sender(document(server.port, { user: 'me', password: 'secret-1' }));
  t.same(await send(), { status: 'accepted', gatewayId: '4F1B2' });
  const [greeting, starttls, again, ...rest] = server.heard;
  t.match(greeting, /^EHLO /);
  t.equal(starttls, 'STARTTLS');
  t.match(again, /^EHLO /);
  const content = [...mail, 'Content-Type: text/plain; charset=utf-8', '', 'Your code is 493817'];
  const heard = rest.slice(0, 5);
  t.same(heard, [
    `AUTH PLAIN ${btoa('\0me\0secret-1')}`,
    'MAIL FROM:<no-reply@shop.example>',
    'RCPT TO:<ada@home.example>',
    'DATA',
    content.join('\r\n'),
  ]);
});

t.test('the subject is the message’s own, unless the provider says another', async (t) => {
  const server = await startSmtp(t, { tls: true });
  const subjectOf = async (options: object, sent: Partial<Dispatch>) => {
    await sender(document(server.port, { secure: true, ...options }))(sent);
    return /^Subject: (.*)$/m
      .exec(server.heard.findLast((line) => line.includes('Subject')) ?? '')?.[1]
      ?.trim();
  };
  const cases: [what: string, options: object, sent: Partial<Dispatch>, subject: string][] = [
    ['its own', {}, { subject: 'Your code' }, 'Your code'],
    ['without one', {}, { subject: null }, 'Demo shop'],
    ['without an app', {}, { app: null }, 'shop.example'],
    ['framed', { subject: '[$ctx.locale] $ctx.subject' }, { subject: 'Your code' }, '[en] Your code'],
    ['the provider’s', { subject: 'Hello' }, { subject: 'Your code' }, 'Hello'],
  ];
  for (const [what, options, sent, subject] of cases) t.equal(await subjectOf(options, sent), subject, what);
});

t.test('texts, subjects and dots arrive as they were', async (t) => {
  const server = await startSmtp(t, { tls: true });
  const send = sender(document(server.port, { secure: true, subject: 'Für $ctx.app.name 💌' }));
  await send({ text: '.\r\nשלום = 493817\n..' });
  const [content = ''] = server.heard.filter((line) => line.includes('Subject'));
  t.match(content, 'Subject: =?UTF-8?', 'encoded');
  const [head = '', body = ''] = content.split('\r\n\r\n');
  const encoding = /Content-Transfer-Encoding: (\S+)/.exec(head)?.[1];
  const undotted = body.replace(/^\./gm, '');
  const text =
    encoding === 'base64'
      ? Buffer.from(undotted, 'base64').toString()
      : Buffer.from(
          undotted
            .replace(/=\r\n/g, '')
            .replace(/=([0-9A-F]{2})/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16))),
          'latin1',
        ).toString();
  t.equal(text.trimEnd().replaceAll('\r\n', '\n'), '.\nשלום = 493817\n..');
  const count = content.split('\r\n').filter((line) => /^(To|Bcc|Subject):/i.test(line)).length;
  await send({ app: { id: 'x', name: 'A\r\nBcc: evil@evil.example' } });
  t.equal(count, 2);
  t.notOk(
    server.heard.some((line) => /^Bcc:/im.test(line)),
    'no header can be added',
  );
});

const cut = (socket: { destroy(): void }) => socket.destroy();

t.test('what the answers mean', async (t) => {
  const cases: [what: string, replies: Replies, expected: Partial<Outcome>][] = [
    ['no such mailbox', { RCPT: '550 5.1.1 unknown' }, { status: 'rejected' }],
    ['mailbox full', { '.': '552 5.2.2 full' }, { status: 'rejected' }],
    ['taken for spam', { '.': '554 no spam here' }, { status: 'rejected' }],
    ['we are blocked', { RCPT: '550 5.7.1 relaying denied' }, { status: 'unavailable' }],
    ['grey', { RCPT: '450 4.7.1 try again' }, { status: 'unavailable' }],
    ['throttled', { MAIL: '452 4.5.3 too many' }, { status: 'unavailable' }],
    ['throttled at the end', { '.': '451 4.7.0 later' }, { status: 'unavailable' }],
    ['wrong password', { AUTH: '535 5.7.8 no' }, { status: 'unavailable' }],
    ['closed for now', { connect: '421 4.3.2 closed' }, { status: 'unavailable' }],
    ['no data', { DATA: '554 no' }, { status: 'unavailable' }],
    ['no STARTTLS', { EHLO: '250 mail.example', STARTTLS: '502 no' }, { status: 'unavailable' }],
    ['cut before the mail', { MAIL: cut }, { status: 'unavailable' }],
    ['cut after the mail', { '.': cut }, { status: 'unknown' }],
    ['silent before the mail', { RCPT: () => undefined }, { status: 'unavailable' }],
    ['silent after the mail', { '.': () => undefined }, { status: 'unknown' }],
  ];
  const server = await startSmtp(t);
  const send = sender(document(server.port, { user: 'me', password: 'secret-1' }));
  for (const [what, replies, expected] of cases) {
    server.replies = replies;
    t.match(await send({}, 500), expected, what);
  }
});

t.test('nothing of it stands in a reason', async (t) => {
  const server = await startSmtp(t);
  server.replies = { RCPT: '550 <ada@home.example> secret-1 493817' };
  const outcome = await sender(document(server.port, { user: 'me', password: 'secret-1' }))();
  t.match(outcome, { reason: /550 <•••> ••• •••/ });

  const said: [reply: string, reason: RegExp][] = [
    ['550 <Ada.L+x@Home.Example>: user ada.l+x is unknown here', /550 <•••>: user ••• is unknown here/],
    ['550 ADA.L+X@HOME.EXAMPLE. No such mailbox', /550 •••\. No such mailbox/],
    ['550 nada.l+xx is somebody else', /550 nada\.l\+xx is somebody else/],
  ];
  for (const [reply, reason] of said) {
    server.replies = { RCPT: reply };
    t.match(await sender(document(server.port))({ to: 'ada.l+x@home.example' }), { reason }, reply);
  }
});

t.test('whom it speaks to', async (t) => {
  const server = await startSmtp(t);
  const untrusted = await sender({ ...document(server.port), tls: undefined })();
  t.match(untrusted, { status: 'unavailable', reason: /certificate/ }, 'not to whom nobody vouches for');
  const guarded = sender(document(server.port, { allowPrivateNetwork: false }));
  t.match(await guarded(), { status: 'unavailable', reason: /private, local or reserved/ }, 'a name');
  const literal = sender(document(server.port, { host: '169.254.169.254', allowPrivateNetwork: false }));
  t.match(await literal(), { status: 'unavailable', reason: /private, local or reserved/ }, 'an address');
  t.match(await sender(document(1))(), { status: 'unavailable' }, 'nobody there');
  t.same(await sender(document(server.port))({ to: '+447700900123' }), {
    ...{ status: 'rejected', reason: 'this is no address of a mailbox' },
  });
  t.match(await sender(document(server.port))({ to: 'a@b\r\nRCPT TO:<c@d>' }), { status: 'rejected' });
});

t.test('in the clear only where nothing is secret', async (t) => {
  const server = await startSmtp(t);
  server.replies = { EHLO: '250 mail.example' };
  t.match(await sender(document(server.port, { requireTLS: false }))(), { status: 'accepted' });
  const faults = (options: object, members: object = {}) =>
    load(document(25, options, members)).faults.map(({ path }) => path);
  t.same(faults({ requireTLS: false, user: 'a', password: 'b' }), ['smtp.requireTLS']);
  t.same(faults({ requireTLS: false, secure: true, user: 'a', password: 'b' }), []);
  t.same(faults({ user: 'a' }), ['smtp.password']);
  t.same(faults({}, { from: undefined }), ['from']);
  t.same(faults({}, { from: 'nobody' }), ['from']);
  t.same(faults({ subject: '$ctx.nmu' }), ['smtp.subject']);
  t.same(faults({ timeout: '5m' }), ['smtp.timeout']);
  t.same(faults({ port: 'many' }), ['smtp.port'], 'by a reference');
});

t.test('as a provider among others: loaded, asked, examined', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    const server = await startSmtp(t);
    const raw = { id: 'mail', ...document(server.port) };
    const bench = await openBench(t, storage, [raw]);
    const queued = await bench.queue({ channel: 'email', to: 'ada@home.example' });
    t.same(await bench.delivery.send(queued), { status: 'accepted', gatewayId: '4F1B2' });
    t.match(await rowOf(storage.db, queued.id), {
      status: 'accepted',
      gateway_id: '4F1B2',
      text_sealed: null,
    });
    const clock = { now: () => bench.now };
    const examined = () => examineProviders({ db: storage.db, crypto, references, log: silent, clock });
    t.match(await examined(), [{ id: 'mail', preset: 'smtp', fault: null, leftAlone: null }]);
    await saveProviders(storage, [{ ...raw, smtp: { ...raw.smtp, port: 1 } }]);
    t.match(await examined(), [{ id: 'mail', fault: /^localhost:1 takes no connection/ }]);
  });
});
