/** What the pages do beside showing: forms that hang, moments in one's own zone, paper, much enlarged text. */
import t from 'tap';
import { closeBrowser, screenshot, withPage } from '../helpers/browser.ts';
import { serveSamples } from './sample-server.ts';
import { samples } from './samples.ts';

const { address, close } = await serveSamples();
t.teardown(async () => {
  await closeBrowser();
  await close();
});
t.setTimeout(120_000);

const phone = { width: 390, height: 844 };

t.test('a form goes out once; after a while of nothing it can be sent again', async (t) => {
  await withPage(t, { viewport: phone }, async (page) => {
    await page.clock.install();
    await page.goto(address('backup-code'));
    // As without a network: what was sent is never answered.
    await page.evaluate(`
      globalThis.sent = 0;
      addEventListener('submit', (event) => {
        if (!event.defaultPrevented) globalThis.sent += 1;
        event.preventDefault();
      });
    `);
    await page.locator('input[name=code]').fill('KTQ7X-M3WPA');
    const press = async () => {
      await page.getByRole('button', { name: 'Continue' }).click();
      return page.evaluate<number>('sent');
    };
    t.equal(await press(), 1, 'sent');
    t.equal(await press(), 1, 'pressed twice');
    await page.clock.runFor(8000);
    t.equal(await press(), 2, 'pressed once more, much later');
  });
});

t.test('moments are told in the zone of the reader', async (t) => {
  for (const [javaScript, title] of [
    [true, /11:00:00\sPM GMT\+13/],
    [false, /10:00\sAM UTC/],
  ] as const) {
    await withPage(t, { javaScript, timezoneId: 'Pacific/Auckland', locale: 'en-GB' }, async (page) => {
      await page.goto(address('account-devices'));
      const moment = page.locator('time').first();
      t.match(await moment.innerText(), '2 hours ago');
      t.equal(await moment.getAttribute('datetime'), '2026-03-01T10:00:00.000Z');
      t.match(await moment.getAttribute('title'), title);
    });
  }
});

t.test('backup codes on paper: dark on light, whose they are, and nothing to press', async (t) => {
  await withPage(t, { viewport: phone, colorScheme: 'dark' }, async (page) => {
    await page.goto(address('account-codes-new'));
    await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
    await screenshot(page, 'backup-codes-on-paper');
    const main = page.locator('main');
    t.match(await main.innerText(), /Backup codes for demo at Sallyport/);
    t.equal(await page.locator('.backup-codes code:visible').count(), 10);
    t.equal(await main.locator('a:visible, button:visible').count(), 0);
    const ink = await page.evaluate<string>('getComputedStyle(document.querySelector("main")).color');
    t.equal(ink, 'rgb(20, 23, 31)');
  });
});

t.test('backup codes are copied, or marked where the browser refuses', async (t) => {
  for (const [writeText, got] of [
    ['async (text) => { globalThis.copied = text; }', /^K0Q7X-M3WPA\nK1Q7X/],
    ['async () => { throw new Error("no"); }', /K9Q7X-M3WPA/],
  ] as const) {
    await withPage(t, { viewport: phone }, async (page) => {
      await page.addInitScript(
        `Object.defineProperty(navigator, 'clipboard', { value: { writeText: ${writeText} } })`,
      );
      await page.goto(address('account-codes-new'));
      await page.locator('[data-copy]').click();
      await page.waitForFunction('globalThis.copied || getSelection().toString()');
      t.match(await page.evaluate<string>('globalThis.copied ?? getSelection().toString()'), got);
    });
  }
});

t.test('a phone with text at twice its size shows all of it, in long words too', async (t) => {
  await withPage(t, { viewport: { width: 195, height: 422 } }, async (page) => {
    for (const name of Object.keys(samples)) {
      // The simulator is for developers, and draws a telephone.
      if (name.startsWith('simulator')) continue;
      await page.goto(address(name, 'de'));
      const wide = await page.evaluate<number>(
        'document.documentElement.scrollWidth - document.documentElement.clientWidth',
      );
      t.ok(wide <= 0, `${name} does not scroll sideways`);
    }
  });
});
