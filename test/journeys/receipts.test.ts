/** What a person sees on the page while gateways report, and one code by two ways. No script runs: pages are reloaded. */
import t from 'tap';
import { startGateway as startSms } from '../delivery/hostile-gateway.ts';
import { alice, eachDatabaseUrl, generousGuard, shop, standard, startGateway } from '../helpers/gateway.ts';
import { codeIn, createTestApp, openLogin, passPassword } from '../helpers/relying-party.ts';

const receipts = { state: 'status', states: { sent: ['sent'], delivered: ['there'], failed: ['lost'] } };

await eachDatabaseUrl(t, async (t, databaseUrl) => {
  const sms = await startSms(t);
  const provider = (id: string, channel: string) => ({
    ...{ id, channel, preset: 'http' },
    http: {
      ...{ url: `${sms.url}/ok/${id}`, allowPrivateNetwork: true, receipts },
      payload: '{"to":$ctx.num,"text":$ctx.msg,"callback":$ctx.callback}',
    },
  });
  const { gateway: settings } = standard('');
  const gateway = await startGateway(t, {
    databaseUrl,
    files: {
      gateway: {
        ...settings,
        guard: generousGuard,
        metrics: { enabled: true, allowFrom: ['127.0.0.0/8', '::1'] },
      },
      providers: [provider('sms', 'sms'), provider('calls', 'voice')],
      channels: [{ id: 'sms', workflow: [{ after: '5m', channel: 'voice' }] }],
    },
  });
  const app = await createTestApp(gateway, shop);
  const sent = () =>
    sms.received.map(({ body, path }) => ({
      by: path.split('/').at(-1),
      ...(JSON.parse(body) as { to: string; text: string; callback: string }),
    }));
  const report = async (callback: string | undefined, status: string) => {
    const body = new URLSearchParams({ status });
    return (await fetch(callback ?? '', { method: 'POST', body })).status;
  };
  const begin = async () => passPassword(app, await openLogin(app), alice);

  await t.test('sent, then delivered', async (t) => {
    const { browser, page } = await begin();
    t.match(page.html, /Sent to ••••• 23 by SMS/);
    const [message] = sent();
    t.ok(message?.callback.startsWith(`${gateway.issuer}/receipts/sms?message=`));
    t.equal(await report(message?.callback.replace('&s=', '&s=x'), 'there'), 403);
    t.match((await browser.open(page.url)).html, /Sent to ••••• 23 by SMS/, 'nobody believes a stranger');
    t.equal(await report(message?.callback, 'there'), 200);
    t.match((await browser.open(page.url)).html, /The code has arrived at ••••• 23/);
    const callback = codeIn(message?.text ?? '');
    const done = await browser.submit(page, { code: callback }, app.isCallback);
    t.ok(app.isCallback(done.url));
  });

  await t.test('lost, then spoken: the same code', async (t) => {
    const { browser, page } = await begin();
    const message = sent().at(-1);
    t.equal(await report(message?.callback, 'lost'), 200);
    const began = performance.now();
    let html = '';
    while (!html.includes('We are calling') && performance.now() - began < 5_000) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      html = (await browser.open(page.url)).html;
    }
    t.match(html, /We are calling ••••• 23 and say the code/);
    t.match(html, /name="code"/);
    const call = sent().at(-1);
    const code = codeIn(message?.text ?? '');
    t.match(call, { by: 'calls', to: alice.phone });
    t.ok(call?.text.includes(code) && !call.text.includes('@'), 'without the line for browsers');
    const done = await browser.submit(page, { code }, app.isCallback);
    t.ok(app.isCallback(done.url));
    t.equal(sent().length, 3, 'and nothing else went out');
  });

  await t.test('counted, each once', async (t) => {
    const metrics = await (await fetch(`${gateway.issuer}/metrics`)).text();
    const lines = metrics.split('\n').filter((line) => line.startsWith('sallyport_receipts_total{'));
    t.same(lines.sort(), [
      'sallyport_receipts_total{provider="sms",result="delivered"} 1',
      'sallyport_receipts_total{provider="sms",result="failed"} 1',
      'sallyport_receipts_total{provider="sms",result="forged"} 1',
    ]);
  });
});
