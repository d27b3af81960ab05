/** A television that is connected from another screen, as the person at that screen meets it. */
import { sql } from 'kysely';
import type { Page } from 'playwright-core';
import t from 'tap';
import {
  closeBrowser,
  expectNoAxeFindings,
  type PageOptions,
  screenshot,
  withPage,
} from '../helpers/browser.ts';
import { alice, generousGuard, standard, startGateway } from '../helpers/gateway.ts';
import { nextCode } from '../helpers/relying-party.ts';

t.teardown(closeBrowser);

const phone = { width: 390, height: 844 };
const television = {
  id: 'tv',
  name: 'Television',
  tokenEndpointAuthMethod: 'none',
  grantTypes: ['refresh_token'],
  redirectUris: [],
  firstParty: true,
  flow: 'password-sms',
  deviceFlow: true,
};
const grant = 'urn:ietf:params:oauth:grant-type:device_code';

t.test('connecting a television', async (t) => {
  const files = standard('');
  const gateway = await startGateway(t, {
    databaseUrl: null,
    files: { gateway: { name: 'Sallyport', guard: generousGuard }, apps: [...files.apps, television] },
  });
  const post = async (path: string, form: Record<string, string>) => {
    const answer = await fetch(new URL(path, gateway.issuer), {
      method: 'POST',
      headers: { 'user-agent': 'Telly/7 (living room)' },
      body: new URLSearchParams({ client_id: television.id, ...form }),
    });
    return (await answer.json()) as Record<string, string>;
  };
  /** The television asks for its codes. */
  const ask = async () => {
    const { user_code: code = '', device_code = '' } = await post('/device/authorize', { scope: 'openid' });
    return { code, poll: async () => (await post('/token', { grant_type: grant, device_code })).error };
  };
  const open = async (page: Page) => {
    await page.goto(new URL('/device', gateway.issuer).href);
    return page.getByRole('textbox');
  };
  const enter = async (page: Page, code: string) => {
    const field = page.getByRole('textbox');
    await field.fill(code);
    await field.press('Enter');
  };
  const settled = (page: Page, selector: string) => page.locator(selector).first().waitFor();
  const wide = async (page: Page) =>
    page.evaluate<number>('document.documentElement.scrollWidth - document.documentElement.clientWidth');

  const locales = ['en-GB', 'de-DE', 'fr-FR', 'es-ES'];
  const looks: Record<string, PageOptions> = {
    desktop: {},
    phone: { viewport: phone },
    dark: { viewport: phone, colorScheme: 'dark' },
    'no JavaScript': { viewport: phone, javaScript: false },
  };
  for (const [at, [name, look]] of Object.entries(looks).entries()) {
    await t.test(name, (t) =>
      withPage(t, { ...look, locale: locales[at] ?? 'en-GB' }, async (page) => {
        const look = async (what: string) => {
          if (name !== 'no JavaScript') await expectNoAxeFindings(t, page, what);
          t.ok((await wide(page)) <= 0, `${what}: nothing stands out at the side`);
          await screenshot(page, `device-${name.replace(' ', '-')}-${what}`);
        };
        const { code, poll } = await ask();
        const field = await open(page);
        await page.waitForFunction('document.activeElement?.getAttribute("name") === "user_code"');
        await look('empty');
        await field.fill('BBBB-BBBB');
        await field.press('Enter');
        await settled(page, '[aria-invalid=true]');
        t.match(await page.title(), /^\S+\s?: /, 'the title says that something is wrong');
        await look('wrong');

        await enter(page, code.toLowerCase().replace('-', ' '));
        await settled(page, 'button[name=confirm]');
        const facts = await page.locator('dl').innerText();
        for (const fact of ['Television', code, '127.0.0.1', 'Telly/7 (living room)']) {
          t.ok(facts.includes(fact), `it says ${fact}: ${facts}`);
        }
        await look('confirm');
        t.equal(await poll(), 'authorization_pending');
        await page.locator('button[name=confirm]').click();
        await page.locator('input[name=username]').fill(alice.username);
        await page.locator('input[name=password]').fill(alice.password);
        await page.locator('input[name=password]').press('Enter');
        const sent = await nextCode(gateway.sms, alice.phone);
        await page.locator('input[name=code]').fill(sent);
        if (name === 'no JavaScript') await page.locator('input[name=code]').press('Enter');
        await page.waitForURL(/\/device\//);
        t.equal(await page.locator('form').count(), 0, 'nothing is left to do');
        await look('done');
        t.equal(await poll(), undefined, 'it has its tokens');

        await open(page);
        await enter(page, code);
        await settled(page, '[aria-invalid=true]');
        await look('used');

        const late = await ask();
        await sql`update oidc_artifacts set expires_at = now() - interval '1 second',
          payload = jsonb_set(payload, '{exp}', '1') where model = 'DeviceCode' and consumed_at is null`.execute(
          gateway.running.context.storage.db,
        );
        await enter(page, late.code);
        await settled(page, '[aria-invalid=true]');
        await look('late');

        const unwanted = await ask();
        await enter(page, unwanted.code);
        // A page that is being left has no form either: the answer itself has to be there.
        const answered = page.waitForResponse((response) => response.request().method() === 'POST');
        await page.locator('button[name=abort]').click();
        await (await answered).finished();
        await page.waitForFunction('document.querySelector("form") === null');
        await look('denied');
        t.equal(await unwanted.poll(), 'access_denied');
      }),
    );
  }
});
