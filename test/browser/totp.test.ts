/** An authenticator app, set up in a login, used in the next, and instead of a message elsewhere, as people meet it. */
import type { Page } from 'playwright-core';
import t from 'tap';
import { startRelyingParty } from '../../src/demo/index.ts';
import { codeAt } from '../flows/totp-support.ts';
import {
  closeBrowser,
  expectNoAxeFindings,
  type PageOptions,
  screenshot,
  withPage,
} from '../helpers/browser.ts';
import { freePort, generousGuard, shop, standard, startGateway } from '../helpers/gateway.ts';

t.teardown(closeBrowser);

const phone = { width: 390, height: 844 };
const password = 'moth in relay seventy';
const numberOf = (at: number) => `+44770090017${at}`;
const desk = { id: 'desk', name: 'Desk', secret: 'a-long-secret-of-the-desk-0123456789', flow: 'message' };
const looks: Record<string, PageOptions> = {
  desktop: { locale: 'en-GB' },
  phone: { viewport: phone, locale: 'de-DE' },
  dark: { viewport: phone, colorScheme: 'dark', locale: 'fr-FR' },
  plain: { viewport: phone, javaScript: false, locale: 'es-ES' },
};

t.test('an authenticator app', async (t) => {
  const [shopPort, deskPort] = [await freePort(), await freePort()];
  const files = standard('');
  const gateway = await startGateway(t, {
    databaseUrl: null,
    files: {
      gateway: { name: 'Sallyport', guard: generousGuard },
      flows: [
        {
          ...files.flows[0],
          steps: [
            { id: 'first', options: ['password'] },
            { id: 'second', options: ['totp', 'backup-code'], onUnavailable: 'enrol', grace: '14d' },
          ],
        },
        {
          ...{ ...files.flows[0], id: 'message' },
          steps: [
            { id: 'first', options: ['password'] },
            { id: 'second', options: ['sms-otp', { totp: { window: 2 } }] },
          ],
        },
      ],
      apps: [
        { ...files.apps[0], redirectUris: [`http://localhost:${shopPort}/callback`] },
        { ...files.apps[0], ...desk, redirectUris: [`http://localhost:${deskPort}/callback`] },
      ],
      users: Object.keys(looks).map((username, at) => ({ username, password, phone: numberOf(at) })),
    },
  });
  const serve = async (clientId: string, clientSecret: string, port: number) => {
    const app = await startRelyingParty({ issuer: new URL(gateway.issuer), clientId, clientSecret, port });
    t.teardown(() => app.close());
    return app;
  };
  const shopServer = await serve(shop.id, shop.secret, shopPort);
  const deskServer = await serve(desk.id, desk.secret, deskPort);

  const signIn = async (page: Page, username: string, app = shopServer) => {
    await page.context().clearCookies();
    await page.goto(app.url);
    await page.getByRole('link', { name: 'Sign in' }).click();
    await page.locator('input[name=username]').fill(username);
    await page.locator('input[name=password]').fill(password);
    await page.locator('input[name=password]').press('Enter');
  };
  const finished = async (page: Page, app = shopServer) => {
    await page.waitForURL(`${app.url}**`);
    return page.locator('dl').innerText();
  };
  /** With scripts a whole code goes out by itself. */
  const type = async (page: Page, code: string, { javaScript = true }: PageOptions) => {
    await page.locator('input[name=code]').fill(code);
    if (!javaScript) await page.locator('input[name=code]').press('Enter');
  };

  for (const [name, look] of Object.entries(looks)) {
    await t.test(name, (t) =>
      withPage(t, look, async (page) => {
        const seen = async (what: string) => {
          if (look.javaScript !== false) await expectNoAxeFindings(t, page, what);
          const wide = await page.evaluate<number>(
            'document.documentElement.scrollWidth - document.documentElement.clientWidth',
          );
          t.ok(wide <= 0, `${what}: nothing stands out at the side`);
          await screenshot(page, `totp-${name}-${what}`);
        };
        await signIn(page, name);
        await page.locator('button[value=later]').waitFor();
        await seen('start');
        await page.locator('button[value=later]').click();
        t.match(await finished(page), /"pwd"\]/, 'put off');

        await signIn(page, name);
        await page.locator('button[value=set-up]').click();
        await page.getByRole('img').waitFor();
        await seen('scan');
        const picture = await page.locator('.figure svg').boundingBox();
        t.ok((picture?.width ?? 0) >= 150, 'large enough for a camera');
        const secret = (await page.locator('.figure code').innerText()).replaceAll(' ', '');
        t.match(await page.locator('.figure a').getAttribute('href'), `secret=${secret}`);
        await type(page, codeAt(secret, new Date()), look);
        t.match(await finished(page), /"pwd","otp","mfa"/, 'set up');

        await signIn(page, name);
        await page.locator('input[name=code]').waitFor();
        t.equal(await page.locator('.figure').count(), 0);
        await seen('code');
        // Half a minute further: the code of the set-up has been used.
        await type(page, codeAt(secret, new Date(Date.now() + 30_000)), look);
        t.match(await finished(page), /"pwd","otp","mfa"/, 'used');

        // Elsewhere a message is the other way. A browser that knows neither asks which one.
        await signIn(page, name, deskServer);
        await page.locator('button[value="choose:totp"]').waitFor();
        await seen('choice');
        await page.locator('button[value="choose:totp"]').click();
        await type(page, codeAt(secret, new Date(Date.now() + 60_000)), look);
        t.match(await finished(page, deskServer), /"pwd","otp","mfa"/, 'used instead of a message');
        const codes = gateway.sms.received.filter(({ text }) => /#\S+$/.test(text));
        t.same(codes, [], 'and no code was sent');
      }),
    );
  }
});
