import type { Page } from 'playwright-core';
import t from 'tap';
import { startRelyingParty } from '../../src/demo/index.ts';
import { closeBrowser, expectNoAxeFindings, withPage } from '../helpers/browser.ts';
import { alice, freePort, generousGuard, shop, standard, startGateway } from '../helpers/gateway.ts';
import { nextCode } from '../helpers/relying-party.ts';

t.teardown(closeBrowser);

t.test('a code before anything else, in a browser that is not known', async (t) => {
  const shopPort = await freePort();
  const files = standard('');
  const gateway = await startGateway(t, {
    databaseUrl: null,
    files: {
      gateway: { name: 'Sallyport', guard: { ...generousGuard, challenge: { wait: '5s' } } },
      flows: [
        {
          ...files.flows[0],
          steps: [
            { id: 'who', options: ['identify'] },
            { id: 'code', options: ['sms-otp'] },
          ],
        },
      ],
      apps: [{ ...files.apps[0], redirectUris: [`http://localhost:${shopPort}/callback`] }],
    },
  });
  const shopServer = await startRelyingParty({
    issuer: new URL(gateway.issuer),
    clientId: shop.id,
    clientSecret: shop.secret,
    port: shopPort,
  });
  t.teardown(() => shopServer.close());
  const toChallenge = async (page: Page) => {
    await page.goto(shopServer.url);
    await page.getByRole('link', { name: 'Sign in' }).click();
    await page.getByLabel('User name').fill(alice.username);
    await page.getByLabel('User name').press('Enter');
  };

  await t.test('the work is done by itself', (t) =>
    withPage(t, {}, async (page) => {
      await toChallenge(page);
      await page.locator('input[name=code]').waitFor();
      await page.locator('input[name=code]').fill(await nextCode(gateway.sms, alice.phone));
      await page.waitForURL(`${shopServer.url}**`);
    }),
  );

  await t.test('the page is accessible while it works', (t) =>
    withPage(t, {}, async (page) => {
      await page.route('**/assets/proof.js*', (route) =>
        route.fulfill({ body: '', contentType: 'text/javascript' }),
      );
      await toChallenge(page);
      await page.getByRole('heading', { name: 'One moment, please' }).waitFor();
      await expectNoAxeFindings(t, page, 'challenge');
    }),
  );

  await t.test('without scripts the button opens after the wait', (t) =>
    withPage(t, { javaScript: false }, async (page) => {
      await toChallenge(page);
      const button = page.locator('button.primary');
      t.equal(await button.isDisabled(), true);
      await page.waitForTimeout(5_100);
      await page.getByRole('link', { name: 'Reload' }).click();
      await button.click();
      await page.locator('input[name=code]').waitFor();
      t.ok(await gateway.sms.next(alice.phone, 5_000));
    }),
  );
});
