import type { AddressInfo } from 'node:net';
import t from 'tap';
import { registerSimulator, texts } from '../../src/delivery/index.ts';
import { texts as pageTexts } from '../../src/http/texts.ts';
import { closeBrowser, expectNoAxeFindings, screenshot, withPage } from '../helpers/browser.ts';
import { openTestDatabase } from '../helpers/database.ts';
import { openTestHttp } from '../helpers/http.ts';
import { crypto, issuer, openBench } from './service-support.ts';

t.teardown(closeBrowser);

t.test('the phone in a browser', async (t) => {
  const database = await openTestDatabase('embedded');
  t.teardown(() => database.close());
  const { storage } = database;
  const providers = ['sms', 'email'].map((channel) => ({ id: channel, channel, preset: 'simulator' }));
  const bench = await openBench(t, storage, providers);
  const { app, http } = await openTestHttp({ texts: { ...pageTexts, ...texts } });
  const clock = { now: () => bench.now };
  const configured = bench.delivery.simulatorConfigured;
  registerSimulator(app, { http, db: storage.db, crypto, clock, issuer, configured });
  await app.listen({ port: 0, host: '127.0.0.1' });
  t.teardown(() => app.close());
  const url = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}/simulator`;
  const send = async (code: string, more: object = {}) => {
    bench.now = new Date(bench.now.getTime() + 60_000);
    const text = `${code} is your code for Demo shop. It is valid for 5 minutes.\n\n@id.example #${code}`;
    await bench.delivery.send(await bench.queue({ text, code, ...more }));
  };

  await withPage(t, { viewport: { width: 390, height: 844 } }, async (page) => {
    await page.goto(url);
    t.match(await page.textContent('.screen'), /No message yet/);
    await expectNoAxeFindings(t, page, 'empty');
    await send('493817');
    await page.waitForSelector('mark');
    t.equal(await page.locator('mark').first().textContent(), '493817', 'it appears by itself');
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await page.getByRole('button', { name: 'Copy 493817' }).click();
    await page.getByText('Copied').waitFor();
    t.equal(await page.evaluate<string>('navigator.clipboard.readText()'), '493817');
    await expectNoAxeFindings(t, page, 'phone-sized');
  });

  await send('771200');
  await send('555666', { to: '+15005550006' });
  await send('902211', { channel: 'email', to: '+15005550006' });
  for (const colorScheme of ['light', 'dark'] as const) {
    await withPage(t, { colorScheme }, async (page) => {
      await page.goto(`${url}?to=%2B447700900123`);
      await expectNoAxeFindings(t, page, colorScheme);
      await screenshot(page, `simulator-${colorScheme}`);
      await page.getByRole('link', { name: '+15005550006' }).click();
      await page.getByRole('link', { name: 'Texts' }).click();
      t.match(await page.textContent('.screen'), /555666/);
      await expectNoAxeFindings(t, page, `${colorScheme}, tabs`);
      await screenshot(page, `simulator-tabs-${colorScheme}`);
    });
  }

  const mail = { channel: 'email', to: 'ada@example.test', subject: 'Your code for Demo shop' };
  await send('440055', mail);
  for (const colorScheme of ['light', 'dark'] as const) {
    await withPage(t, { colorScheme, viewport: { width: 390, height: 844 } }, async (page) => {
      await page.goto(`${url}?to=ada%40example.test`);
      t.match(await page.textContent('.subject'), mail.subject);
      t.equal(await page.locator('mark').first().textContent(), '440055');
      await expectNoAxeFindings(t, page, `a mail, ${colorScheme}`);
      await screenshot(page, `simulator-mail-${colorScheme}`);
    });
  }

  await withPage(t, { javaScript: false, viewport: { width: 390, height: 844 } }, async (page) => {
    await page.goto(`${url}?to=%2B447700900123`);
    t.match(await page.textContent('.screen'), /771200/, 'without JavaScript');
    t.equal(await page.locator('[data-copy]:visible').count(), 0);
    await screenshot(page, 'simulator-390');
  });
});
