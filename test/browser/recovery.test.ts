/** A forgotten password, replaced by a code to the mailbox, as people meet it; and the page of one's own data. */
import type { Page } from 'playwright-core';
import t from 'tap';
import { listSimulated } from '../../src/delivery/simulator/store.ts';
import { startRelyingParty } from '../../src/demo/index.ts';
import {
  closeBrowser,
  expectNoAxeFindings,
  type PageOptions,
  screenshot,
  withPage,
} from '../helpers/browser.ts';
import { freePort, generousGuard, shop, standard, startGateway } from '../helpers/gateway.ts';

t.teardown(closeBrowser);

const small = { width: 390, height: 844 };
const old = 'moth in relay seventy';
const chosen = 'seven grey herons wade';
const looks: Record<string, PageOptions> = {
  desktop: { locale: 'en-GB' },
  phone: { viewport: small, locale: 'de-DE' },
  dark: { viewport: small, colorScheme: 'dark', locale: 'fr-FR' },
  plain: { viewport: small, javaScript: false, locale: 'es-ES' },
};
const sends = { ...generousGuard.sends, modes: { 'first-contact': 'record' } };

t.test('a forgotten password', { timeout: 240_000 }, async (t) => {
  const shopPort = await freePort();
  const files = standard('');
  const gateway = await startGateway(t, {
    databaseUrl: null,
    files: {
      gateway: {
        ...{ name: 'Sallyport', guard: { ...generousGuard, sends } },
        account: { deletion: { enabled: true } },
        recovery: { enabled: true, channels: ['email'] },
      },
      flows: [{ ...files.flows[0], steps: [{ id: 'first', options: ['password'] }] }],
      apps: [{ ...files.apps[0], redirectUris: [`http://localhost:${shopPort}/callback`] }],
      providers: [{ id: 'mail', channel: 'email', preset: 'simulator', simulator: {} }],
      users: Object.keys(looks).map((username) => ({
        ...{ username, password: old, email: `${username}@example.test` },
      })),
    },
  });
  const shopServer = await startRelyingParty({
    issuer: new URL(gateway.issuer),
    clientId: shop.id,
    clientSecret: shop.secret,
    port: shopPort,
  });
  t.teardown(() => shopServer.close());
  const { clock, crypto, storage } = gateway.running.context;
  const codeFor = async (page: Page, name: string): Promise<string> => {
    for (;;) {
      const mails = await listSimulated(storage.db, crypto, null, clock.now());
      const mail = mails.find(({ to, text }) => to === `${name}@example.test` && /^\d{6}/.test(text));
      if (mail) return mail.text.slice(0, 6);
      await page.waitForTimeout(50);
    }
  };

  for (const [name, look] of Object.entries(looks)) {
    await t.test(name, (t) =>
      withPage(t, look, async (page) => {
        const seen = async (what: string) => {
          await screenshot(page, `recovery-${what}-${name}`);
          if (look.javaScript !== false) await expectNoAxeFindings(t, page, what);
        };
        const heading = () => page.locator('h1').innerText();
        const enter = async (field: string, value: string) => {
          await page.locator(`input[name=${field}]`).fill(value);
          const whole = field === 'code' && look.javaScript !== false;
          if (!whole) await page.locator(`input[name=${field}]`).press('Enter');
        };
        await page.goto(shopServer.url);
        await page.getByRole('link', { name: 'Sign in' }).click();
        await seen('sign-in');
        await page.locator('button[value=recover]').click();
        await seen('account');
        const first = await heading();
        await enter('username', name);
        await page.locator('input[name=code]').waitFor();
        await seen('code');
        t.not(await heading(), first);
        await enter('code', await codeFor(page, name));
        await page.locator('input[autocomplete=new-password]').waitFor();
        await enter('password', 'short');
        await page.locator('[aria-invalid=true]').waitFor();
        await seen('weak');
        await enter('password', chosen);
        await page.locator('.notice.success').waitFor();
        await seen('renewed');
        await page.locator('input[name=username]').fill(name);
        await enter('password', chosen);
        await page.waitForURL(`${shopServer.url}**`);
        t.match(await page.locator('dl').innerText(), name);

        await page.goto(`${gateway.issuer}/account/data`);
        await seen('data');
        t.equal(await page.locator('form[action="/account/data/copy"] button').count(), 1);
      }),
    );
  }
});
