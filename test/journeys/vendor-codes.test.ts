/** A sign-in whose code is made, sent and compared by a gateway; and one that falls back to a text of ours. */
import t from 'tap';
import { startGateway as startSms } from '../delivery/hostile-gateway.ts';
import { alice, eachDatabaseUrl, shop, startGateway } from '../helpers/gateway.ts';
import { codeIn, createTestApp, openLogin, passPassword } from '../helpers/relying-party.ts';
import { startVerify, verifyProvider } from '../helpers/verify-server.ts';

await eachDatabaseUrl(t, async (t, databaseUrl) => {
  const verify = await startVerify(t);
  const sms = await startSms(t);
  const lines: string[] = [];
  const gateway = await startGateway(t, {
    databaseUrl,
    logTo: (line) => void lines.push(line),
    files: {
      providers: [
        verifyProvider('verify', verify.url),
        {
          ...{ id: 'spare', channel: 'sms', preset: 'http' },
          http: { url: `${sms.url}/ok`, allowPrivateNetwork: true, payload: '{"text":$ctx.msg}' },
        },
      ],
    },
  });
  const app = await createTestApp(gateway, shop);
  const begin = async () => passPassword(app, await openLogin(app), alice);
  const other = (code: string) => (code[0] === '9' ? '1' : '9') + code.slice(1);

  await t.test('theirs', async (t) => {
    const { browser, page } = await begin();
    t.match(page.html, /Sent to ••••• 23 by SMS/);
    t.match(verify.sent, [{ fields: { To: alice.phone, Channel: 'sms', Locale: 'en' } }]);
    const code = verify.codeOf(alice.phone);
    t.match(
      (await browser.submit(page, { code: other(code) })).html,
      /That is not the code. You have 4 tries left/,
    );

    verify.instead = { check: (response) => response.destroy() };
    const unchecked = await browser.submit(page, { code });
    t.match(unchecked.html, /We could not check the code just now. Please try again; you have 3 tries left/);
    t.notOk(app.isCallback(unchecked.url), 'no answer is no yes');

    verify.instead = {};
    const done = await browser.submit(page, { code }, app.isCallback);
    t.ok(app.isCallback(done.url));
    t.equal(verify.checks.length, 3);
    t.notOk(
      lines.some((line) => line.includes(code) || line.includes('447700900123')),
      'neither is logged',
    );
  });

  await t.test('ours, where theirs could not be sent', async (t) => {
    verify.instead = { send: (response) => response.writeHead(503).end() };
    const { browser, page } = await begin();
    const code = codeIn(JSON.parse(sms.received.at(-1)?.body ?? '{}').text ?? '');
    const asked = verify.checks.length;
    const done = await browser.submit(page, { code }, app.isCallback);
    t.ok(app.isCallback(done.url));
    t.equal(verify.checks.length, asked, 'Twilio is asked nothing');
  });
});
