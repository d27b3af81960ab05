/** Looking after one's account, as people meet it. */
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
import { alice, generousGuard, startGateway, type TestGateway } from '../helpers/gateway.ts';
import { nextCode } from '../helpers/relying-party.ts';

t.teardown(closeBrowser);
t.setTimeout(120_000);

const phone = { width: 390, height: 844 };
const looks: Record<string, PageOptions & { number: string }> = {
  desktop: { locale: 'en-GB', number: '+447700900131' },
  phone: { viewport: phone, locale: 'de-DE', number: '+447700900132' },
  dark: { viewport: phone, colorScheme: 'dark', locale: 'fr-FR', number: '+447700900133' },
  plain: { viewport: phone, javaScript: false, locale: 'es-ES', number: '+447700900134' },
};
const another = 'eleven borrowed umbrellas';

/** What one browser does. */
function hand(gateway: TestGateway, page: Page, username: string, look: (typeof looks)[string]) {
  const field = (name: string) => page.locator(`input[name=${name}]`);
  const go = (path: string) => page.goto(new URL(path, gateway.issuer).href);
  return {
    field,
    go,
    async password(secret: string) {
      if ((await field('username').getAttribute('readonly')) === null) await field('username').fill(username);
      await field('password').fill(secret);
      await field('password').press('Enter');
    },
    async code() {
      const code = await nextCode(gateway.sms, look.number);
      await field('code').waitFor();
      await page.waitForLoadState();
      await field('code').fill(code);
      // With scripts a whole code goes out by itself.
      if (look.javaScript === false) await field('code').press('Enter');
    },
    at: (path: string) => page.waitForURL((url) => url.pathname === path),
  };
}

t.test('an account and who looks after it', async (t) => {
  const gateway = await startGateway(t, {
    databaseUrl: null,
    files: {
      gateway: { name: 'Sallyport', guard: generousGuard, account: { helpContact: 'help@example.test' } },
      users: Object.entries(looks).map(([username, { number }]) => ({
        ...{ username, password: alice.password, phone: number, name: username },
      })),
    },
  });
  const { db } = gateway.running.context.storage;

  for (const [name, look] of Object.entries(looks)) {
    await t.test(name, (t) =>
      withPage(t, look, async (page) => {
        const one = hand(gateway, page, name, look);
        const seen = async (what: string) => {
          if (look.javaScript !== false) await expectNoAxeFindings(t, page, what);
          const wide = await page.evaluate<number>(
            'document.documentElement.scrollWidth - document.documentElement.clientWidth',
          );
          t.ok(wide <= 0, `${what}: nothing stands out at the side`);
          await screenshot(page, `account-${name}-${what}`);
        };
        /** In another browser the same person is signed in, and is no more. */
        const revokeElsewhere = () =>
          withPage(t, { locale: 'en-GB' }, async (elsewhere) => {
            const other = hand(gateway, elsewhere, name, { ...look, javaScript: true });
            await other.go('/account');
            await other.password(alice.password);
            await other.code();
            await other.at('/account');
            await one.go('/account/sessions');
            t.equal(await page.locator('.card').count(), 2);
            await page.locator('.card button').click();
            await page.locator('.notice.success').waitFor();
            await other.go('/account');
            await other.field('password').waitFor();
            t.match(new URL(elsewhere.url()).pathname, /^\/login\//, 'its next request meets a login');
          });

        await one.go('/');
        await page.locator('a[href="/account"]').click();
        await one.password(alice.password);
        await one.code();
        await one.at('/account');
        await seen('overview');

        await page.locator('a[href="/account/profile"]').click();
        await one.field('name').fill('Someone Else');
        await page.locator('button.primary').click();
        await page.locator('.notice.success').waitFor();
        t.equal(await one.field('name').inputValue(), 'Someone Else');
        await seen('profile');

        if (name === 'desktop' || name === 'plain') await revokeElsewhere();
        else await one.go('/account/sessions');
        await seen('sessions');

        // As if the second factor were older than it may be for what is sensitive.
        await sql`update sessions set factors = (
          select jsonb_agg(jsonb_set(f, '{at}', to_jsonb((f ->> 'at')::bigint - 660000)))
          from jsonb_array_elements(factors) f)`.execute(db);
        await one.go('/account');
        await page.locator('a[href="/account/password"]').click();
        await one.password(alice.password);
        await one.code();
        await one.at('/account/password');
        await one.field('oldPassword').fill(alice.password);
        await one.field('newPassword').fill('password');
        await page.locator('button.primary').click();
        await page.locator('[aria-invalid=true]').waitFor();
        await seen('password');
        await one.field('oldPassword').fill(alice.password);
        await one.field('newPassword').fill(another);
        await page.locator('button.primary').click();
        await one.at('/account');
        await page.locator('.notice.success').waitFor();
        const { text } = await gateway.sms.next(look.number, 5_000);
        t.match(text, /^Sallyport\s?: .*\/account$/, 'the phone is told');
        t.notMatch(text, another);

        await one.go('/account/activity');
        await page.locator('.events li').first().waitFor();
        await seen('activity');

        await one.go('/account');
        await page.locator('a[href="/session/end"]').click();
        await page.locator('button.primary').click();
        await page.waitForURL('**/session/end/success**');
        await one.go('/account');
        await one.password(alice.password);
        await page.locator('[aria-invalid=true]').waitFor();
        await one.password(another);
        await one.code();
        await one.at('/account');
      }),
    );
  }
});
