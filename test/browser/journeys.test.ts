import type { Page } from 'playwright-core';
import t from 'tap';
import { startRelyingParty } from '../../src/demo/index.ts';
import { closeBrowser, expectNoAxeFindings, type PageOptions, withPage } from '../helpers/browser.ts';
import { alice, freePort, generousGuard, shop, standard, startGateway } from '../helpers/gateway.ts';
import { nextCode } from '../helpers/relying-party.ts';

t.teardown(closeBrowser);

const phone: PageOptions = { viewport: { width: 390, height: 844 } };

t.test('people in a browser', async (t) => {
  const shopPort = await freePort();
  const files = standard('');
  const resendAt = { length: 6, resendAfter: '1s' };
  const gateway = await startGateway(t, {
    databaseUrl: null,
    files: {
      gateway: { name: 'Sallyport', guard: generousGuard },
      flows: [
        {
          ...files.flows[0],
          steps: [
            { id: 'first', options: ['password'] },
            { id: 'second', options: [{ 'sms-otp': resendAt }, 'backup-code'], userMayDisable: true },
          ],
        },
      ],
      apps: [
        {
          ...files.apps[0],
          redirectUris: [`http://localhost:${shopPort}/callback`],
          postLogoutRedirectUris: [`http://localhost:${shopPort}/`],
          home: `http://localhost:${shopPort}/`,
        },
      ],
    },
  });
  const shopServer = await startRelyingParty({
    issuer: new URL(gateway.issuer),
    clientId: shop.id,
    clientSecret: shop.secret,
    port: shopPort,
  });
  t.teardown(() => shopServer.close());

  const code = async () => await nextCode(gateway.sms, alice.phone);
  const toCode = async (page: Page) => {
    await page.goto(shopServer.url);
    await page.getByRole('link', { name: 'Sign in' }).click();
    await page.getByLabel('User name').fill(alice.username);
    await page.getByLabel('Password', { exact: true }).fill(alice.password);
    await page.getByLabel('Password', { exact: true }).press('Enter');
    await page.locator('input[name=code]').waitFor();
  };

  for (const [name, options] of Object.entries({
    desktop: {},
    phone,
    dark: { ...phone, colorScheme: 'dark' as const },
  })) {
    await t.test(`${name}: password, wrong code, right code, sign-out`, (t) =>
      withPage(t, options, async (page) => {
        await page.goto(shopServer.url);
        await page.getByRole('link', { name: 'Sign in' }).click();
        await expectNoAxeFindings(t, page, 'password');
        await page.getByLabel('User name').fill(alice.username);
        await page.getByLabel('Password', { exact: true }).fill('wrong password');
        await page.getByLabel('Password', { exact: true }).press('Enter');
        await page.getByText('do not match').first().waitFor();
        t.match(await page.title(), /^Error: /);
        await expectNoAxeFindings(t, page, 'password refused');
        await page.getByLabel('User name').fill(alice.username);
        await page.getByLabel('Password', { exact: true }).fill(alice.password);
        await page.getByLabel('Password', { exact: true }).press('Enter');
        const field = page.locator('input[name=code]');
        await field.waitFor();
        t.equal(await field.getAttribute('autocomplete'), 'one-time-code');
        t.equal(await field.getAttribute('inputmode'), 'numeric');
        t.match(await page.locator('main').innerText(), /23/, 'the last two digits of the number are shown');
        t.notMatch(await page.locator('main').innerText(), /900123/, 'and no more of it');
        await expectNoAxeFindings(t, page, 'code');
        const sent = await code();
        await field.fill(sent === '123456' ? '654321' : '123456');
        await page.locator('[role=alert], [aria-invalid=true]').first().waitFor();
        await expectNoAxeFindings(t, page, 'code refused');
        await page.locator('input[name=code]').fill(sent);
        await page.getByRole('heading', { name: 'Hello, Alice' }).waitFor();
        t.match(await page.locator('dl').innerText(), /"pwd","sms","mfa"/);
        const spare = await page.evaluate<number>(
          'document.documentElement.clientWidth - document.documentElement.scrollWidth',
        );
        t.ok(spare >= 0, 'nothing stands out at the side');
        await page.getByRole('button', { name: 'Sign out' }).click();
        await page.waitForURL(/./);
        if (!page.url().startsWith(shopServer.url)) {
          await expectNoAxeFindings(t, page, 'sign-out');
          await page.locator('main button').first().click();
        }
        await page.getByRole('link', { name: 'Sign in' }).click();
        await page.getByLabel('Password', { exact: true }).waitFor();
      }),
    );
  }

  await t.test('resend: a new code comes, and only it works', (t) =>
    withPage(t, {}, async (page) => {
      await toCode(page);
      const older = await code();
      const resend = page.locator('button[value=resend]');
      t.ok(await resend.isDisabled(), 'the button waits');
      await page.locator('button[value=resend]:enabled').click();
      const newer = await code();
      await page.locator('input[name=code]').fill(older);
      await page.locator('[role=alert], [aria-invalid=true]').first().waitFor();
      await page.locator('input[name=code]').fill(newer);
      await page.getByRole('heading', { name: 'Hello, Alice' }).waitFor();
    }),
  );

  await t.test('a backup code instead, once', (t) =>
    withPage(t, phone, async (page) => {
      await toCode(page);
      await code();
      await page.getByRole('button', { name: /backup code/i }).click();
      await page.getByRole('heading', { name: /backup code/i }).waitFor();
      await expectNoAxeFindings(t, page, 'backup code');
      await page.locator('input[name=code]').fill(alice.backupCodes[0]!);
      await page.locator('input[name=code]').press('Enter');
      await page.getByRole('heading', { name: 'Hello, Alice' }).waitFor();
      t.match(await page.locator('dl').innerText(), /"pwd","otp","mfa"/);
    }),
  );

  await t.test('without JavaScript', (t) =>
    withPage(t, { ...phone, javaScript: false }, async (page) => {
      await toCode(page);
      const sent = await code();
      await page.locator('input[name=code]').fill(sent);
      await page.locator('input[name=code]').press('Enter');
      await page.getByRole('heading', { name: 'Hello, Alice' }).waitFor();
      await page.getByRole('button', { name: 'Sign out' }).click();
    }),
  );

  await t.test('German, by the browser’s wish', (t) =>
    withPage(t, { ...phone, locale: 'de-DE' }, async (page) => {
      await page.goto(shopServer.url);
      await page.getByRole('link', { name: 'Sign in' }).click();
      await page.locator('html[lang=de]').waitFor();
      await expectNoAxeFindings(t, page, 'password, German');
    }),
  );

  await t.test('the back button and a reload skip nothing', (t) =>
    withPage(t, {}, async (page) => {
      await toCode(page);
      const sent = await code();
      await page.goBack();
      await page.reload();
      await page.locator('input[name=code]').waitFor();
      t.match(page.url(), /\/login\//, 'still at the second step');

      const address = page.url();
      await withPage(t, { viewport: { width: 390, height: 844 } }, async (stranger) => {
        await stranger.goto(address);
        await stranger.getByRole('link', { name: 'Start again at Shop' }).click();
        await stranger.waitForURL(`${shopServer.url}/`);
      });

      await page.locator('input[name=code]').fill(sent);
      await page.getByRole('heading', { name: 'Hello, Alice' }).waitFor();
      await page.goBack();
      await page.getByRole('heading', { name: 'This sign-in is finished' }).waitFor();
      await page.getByRole('link', { name: 'Back to Shop' }).click();
      await page.getByRole('heading', { name: 'Hello, Alice' }).waitFor();
    }),
  );
});
