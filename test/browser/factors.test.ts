/** Changing what one signs in with, as people meet it. */
import { readFileSync } from 'node:fs';
import type { Page } from 'playwright-core';
import t from 'tap';
import { codeAt } from '../flows/totp-support.ts';
import {
  closeBrowser,
  expectNoAxeFindings,
  type PageOptions,
  screenshot,
  withPage,
} from '../helpers/browser.ts';
import { alice, generousGuard, startGateway } from '../helpers/gateway.ts';
import { nextCode } from '../helpers/relying-party.ts';

t.teardown(closeBrowser);
t.setTimeout(180_000);

const phone = { width: 390, height: 844 };
const looks: Record<string, PageOptions> = {
  desktop: { locale: 'en-GB' },
  phone: { viewport: phone, locale: 'de-DE' },
  dark: { viewport: phone, colorScheme: 'dark', locale: 'fr-FR' },
  plain: { viewport: phone, javaScript: false, locale: 'es-ES' },
};
const numberOf = (at: number) => `+44770090014${at}`;
const nextOf = (at: number) => `+44770090015${at}`;

t.test('what one signs in with', async (t) => {
  const gateway = await startGateway(t, {
    databaseUrl: null,
    files: {
      gateway: { name: 'Sallyport', guard: generousGuard },
      users: Object.keys(looks).map((username, at) => ({
        ...{ username, password: alice.password, phone: numberOf(at), backupCodes: alice.backupCodes },
      })),
    },
  });

  for (const [at, [name, look]] of Object.entries(looks).entries()) {
    await t.test(name, (t) =>
      withPage(t, look, async (page) => {
        const plain = look.javaScript === false;
        const field = (one: string) => page.locator(`input[name=${one}]`);
        const primary = () => page.locator('main button.primary').click();
        const settled = () => page.locator('.notice.success').waitFor();
        const open = async (area: string) => {
          await page.goto(new URL('/account', gateway.issuer).href);
          await page.locator(`a[href="/account/${area}"]`).click();
        };
        const type = async (code: string) => {
          // With scripts a whole code goes out by itself, where its length is known.
          const byItself = !plain && (await field('code').getAttribute('data-length')) !== null;
          await field('code').fill(code);
          if (!byItself) await field('code').press('Enter');
        };
        const sent = async (to: string) => await nextCode(gateway.sms, to);
        const seen = async (what: string) => {
          if (!plain) await expectNoAxeFindings(t, page, what);
          t.ok((await overflow(page)) <= 0, `${what}: nothing stands out at the side`);
          await screenshot(page, `factors-${name}-${what}`);
        };
        const password = async () => {
          await page.goto(new URL('/account', gateway.issuer).href);
          await field('username').fill(name);
          await field('password').fill(alice.password);
          await field('password').press('Enter');
        };
        await password();
        await page.locator('button[value="choose:sms-otp"], input[name=code]').first().waitFor();
        if ((await field('code').count()) === 0) await page.locator('button[value="choose:sms-otp"]').click();
        await type(await sent(numberOf(at)));
        await page.waitForURL('**/account');

        await open('code');
        await seen('code-on');
        await page.locator('form[action$="/off"] button').click();
        await settled();
        await seen('code-off');
        await page.locator('form[action$="/on"] button').click();
        await settled();

        await open('phone');
        await seen('phone');
        await field('phone').fill(nextOf(at));
        await primary();
        await field('code').waitFor();
        await seen('phone-code');
        await type(await sent(nextOf(at)));
        await settled();
        // Off, on, and now this.
        const told = [];
        for (let n = 0; n < 3; n += 1) told.push((await gateway.sms.next(numberOf(at), 5_000)).text);
        t.match(told[2], nextOf(at).slice(-2), 'the old one is told');

        await open('backup-codes');
        await page.locator('.notice.warning').waitFor();
        await seen('codes-low');
        await field('confirm').check();
        await primary();
        await page.locator('.backup-codes').waitFor();
        const codes = await page.locator('.backup-codes code').allInnerTexts();
        t.equal(codes.length, 10);
        await seen('codes-new');
        t.equal(await page.locator('[data-print]').isVisible(), !plain, 'nothing that would do nothing');
        const download = page.waitForEvent('download');
        await page.locator('form[action$="/file"] button').click();
        const file = readFileSync(await (await download).path(), 'utf8');
        t.ok(
          codes.every((code) => file.includes(code)),
          'the file has them all',
        );
        t.notMatch(page.url(), codes[0] ?? '-');

        await open('authenticator');
        await seen('authenticator-none');
        await primary();
        await page.locator('.figure svg').waitFor();
        await seen('authenticator-scan');
        const secret = (await page.locator('.figure code').innerText()).replaceAll(' ', '');
        await field('label').fill('Pocket');
        await type(codeAt(secret, new Date()));
        await settled();
        t.match(await page.locator('.card h2').innerText(), 'Pocket');
        await seen('authenticator');

        await page.context().clearCookies();
        await password();
        await page.locator('button[value="choose:totp"]').click();
        // Half a minute further: the code of the set-up has been used.
        await type(codeAt(secret, new Date(Date.now() + 30_000)));
        await page.waitForURL('**/account');
        await seen('overview');
      }),
    );
  }
});

const overflow = (page: Page) =>
  page.evaluate<number>('document.documentElement.scrollWidth - document.documentElement.clientWidth');
