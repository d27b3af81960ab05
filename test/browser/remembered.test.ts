/** Going without the code: in a browser that is remembered, and with the codes one has kept. */
import type { Page } from 'playwright-core';
import t, { type Test } from 'tap';
import { startRelyingParty } from '../../src/demo/index.ts';
import {
  closeBrowser,
  expectNoAxeFindings,
  type PageOptions,
  screenshot,
  withPage,
} from '../helpers/browser.ts';
import { alice, freePort, generousGuard, shop, standard, startGateway } from '../helpers/gateway.ts';
import { nextCode } from '../helpers/relying-party.ts';

t.teardown(closeBrowser);
t.setTimeout(180_000);

const small = { width: 390, height: 844 };
const { password } = alice;
const kept = ['KTQ7X-M3WPA', 'R9HCF-2VNDE'];

/** Who asks for a code with a box beside it. */
const remembered: Record<string, { look: PageOptions; phone: string; box: RegExp }> = {
  phone: {
    ...{ look: { viewport: small, locale: 'de-DE' }, phone: '+447700900161' },
    box: /^Diesen Browser 30 Tage lang merken$/,
  },
  dark: {
    ...{ look: { locale: 'fr-FR', colorScheme: 'dark' }, phone: '+447700900162' },
    box: /^Se souvenir de ce navigateur pendant 30 jours$/,
  },
  plain: {
    ...{ look: { locale: 'es-ES', viewport: small, javaScript: false }, phone: '+447700900163' },
    box: /^Recordar este navegador durante 30 días$/,
  },
};

/** Who has two backup codes, what is said of two, of the last and of none, and what they meet in the end. */
const keepers: Record<string, { look: PageOptions; user: object; left: string[]; used: string | null }> = {
  // The code was switched off: the last backup code switches it on again.
  off: {
    look: { locale: 'en-GB', viewport: small, colorScheme: 'dark' },
    user: { phone: '+447700900164', codeOff: true },
    left: ['You have 2 backup codes left.', 'This is your last backup code.'],
    used: 'All are used up.',
  },
  on: {
    look: { locale: 'es-ES' },
    user: { phone: '+447700900165' },
    left: ['Le quedan 2 códigos de respaldo.', 'Este es su último código de respaldo.'],
    used: 'Todos están usados.',
  },
  // Without a phone there is only somebody to ask.
  lost: {
    look: { locale: 'fr-FR', viewport: small },
    user: {},
    left: ['Il vous reste 2 codes de secours.', 'C’est votre dernier code de secours.'],
    used: null,
  },
};

/** Who switches the code off for a while. */
const switchers: Record<string, { look: PageOptions; phone: string }> = {
  switcher: { look: { locale: 'de-DE', viewport: small }, phone: '+447700900166' },
  plainly: { look: { locale: 'fr-FR', javaScript: false }, phone: '+447700900167' },
};

t.test('going without the code', async (t) => {
  const shopPort = await freePort();
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
            { id: 'second', options: ['sms-otp', 'backup-code'], userMayDisable: true, remember: '30d' },
          ],
        },
      ],
      apps: [
        {
          ...files.apps[0],
          redirectUris: [`http://localhost:${shopPort}/callback`],
          helpContact: 'help@example.test',
        },
      ],
      users: [
        ...Object.entries({ ...remembered, ...switchers }).map(([username, { phone }]) => ({
          username,
          password,
          phone,
        })),
        ...Object.entries(keepers).map(([username, { user }]) => ({
          ...{ username, password, backupCodes: kept },
          ...user,
        })),
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
  const at = (path: string) => new URL(path, gateway.issuer).href;

  /** What one person does in one browser. */
  const hand = (t: Test, page: Page, username: string, look: PageOptions) => {
    const field = (name: string) => page.locator(`input[name=${name}]`);
    return {
      field,
      /** Until the page after the password. */
      async signIn() {
        await page.goto(`${shopServer.url}/login`);
        await field('username').fill(username);
        await field('password').fill(password);
        await field('password').press('Enter');
      },
      async code(to: string) {
        const code = await nextCode(gateway.sms, to);
        await field('code').waitFor();
        await page.waitForLoadState();
        // With scripts a whole code goes out by itself, but not where there is a box to tick.
        const byItself = look.javaScript !== false && (await field('remember').count()) === 0;
        await field('code').fill(code);
        if (!byItself) await field('code').press('Enter');
      },
      async backupCode(code: string | undefined) {
        await field('code').fill(code ?? '');
        await field('code').press('Enter');
      },
      /** Back at the shop, which shows what was passed. */
      async finished() {
        await page.waitForURL(new URL('/', shopServer.url).href);
        return page.locator('dl').innerText();
      },
      async signOut() {
        await page.goto(at('/session/end'));
        await page.locator('button.primary').click();
        await page.waitForURL('**/session/end/success**');
      },
      async seen(what: string) {
        if (look.javaScript !== false) await expectNoAxeFindings(t, page, what);
        const wide = await page.evaluate<number>(
          'document.documentElement.scrollWidth - document.documentElement.clientWidth',
        );
        t.ok(wide <= 0, `${what}: nothing stands out at the side`);
        await screenshot(page, `remembered-${username}-${what}`);
      },
    };
  };

  for (const [name, { box, look, phone }] of Object.entries(remembered)) {
    await t.test(`a browser is remembered, and forgotten: ${name}`, (t) =>
      withPage(t, look, async (page) => {
        page.setDefaultTimeout(15_000);
        const one = hand(t, page, name, look);
        await one.signIn();
        const remember = page.getByRole('checkbox', { name: box });
        t.notOk(await remember.isChecked(), 'nobody ticks it but the person');
        await remember.check();
        await one.seen('box');
        await one.code(phone);
        t.match(await one.finished(), /"pwd","sms","mfa"/);

        await one.signOut();
        await one.signIn();
        t.match(await one.finished(), /\["pwd"\]/, 'no code is asked for, and none claimed');

        // These pages are another application: there the code is still asked for.
        await page.goto(at('/account'));
        await page.locator('button[value=send]').click();
        await one.code(phone);
        await page.locator('a[href="/account/devices"]').click();
        await page.locator('.card').waitFor();
        t.equal(await page.locator('.card').count(), 1);
        t.match(await page.locator('.card').innerText(), /Shop/);
        t.equal(await page.locator('.card .here').count(), 1, 'it is this one');
        await one.seen('listed');
        await page.locator('.card button').click();
        await page.locator('.notice.success').waitFor();
        t.equal(await page.locator('.card').count(), 0);
        await one.seen('forgotten');

        await one.signOut();
        await one.signIn();
        await one.code(phone);
        t.match(await one.finished(), /"pwd","sms","mfa"/, 'the code is asked for again');
      }),
    );
  }

  for (const [name, { left, look, used, user }] of Object.entries(keepers)) {
    await t.test(`backup codes, to the last and beyond: ${name}`, (t) =>
      withPage(t, look, async (page) => {
        page.setDefaultTimeout(15_000);
        const one = hand(t, page, name, look);
        const instead = page.locator('button[value="choose:backup-code"]');
        const warning = page.locator('.notice.warning');
        for (const [at, said] of left.entries()) {
          await one.signIn();
          if (name === 'on') {
            await nextCode(gateway.sms, '+447700900165');
            await instead.click();
          }
          await warning.waitFor();
          t.equal((await warning.innerText()).trim(), said);
          if (name !== 'on') await one.seen(`left-${2 - at}`);
          await one.backupCode(kept[at]);
          t.match(await one.finished(), /"pwd","otp","mfa"/);
          await one.signOut();
        }

        await one.signIn();
        if (used === null) {
          await page.getByText('help@example.test').waitFor();
          t.equal(await one.field('code').count(), 0);
          await one.seen('help');
          return;
        }
        await one.field('code').waitFor();
        t.equal(await instead.count(), 0, 'none is offered');
        await one.code((user as { phone: string }).phone);
        t.match(await one.finished(), /"pwd","sms","mfa"/);
        await page.goto(at('/account/backup-codes'));
        await warning.waitFor();
        t.match(await warning.innerText(), used);
        await one.seen('none');
      }),
    );
  }

  for (const [name, { look, phone }] of Object.entries(switchers)) {
    await t.test(`the code is switched off, and on again: ${name}`, (t) =>
      withPage(t, look, async (page) => {
        page.setDefaultTimeout(15_000);
        const one = hand(t, page, name, look);
        const press = async (which: 'off' | 'on') => {
          await page.goto(at('/account/code'));
          await page.locator(`form[action="/account/code/${which}"] button`).click();
        };
        await one.signIn();
        await one.code(phone);
        t.match(await one.finished(), /"pwd","sms","mfa"/);
        await press('off');
        await page.locator('.notice.success').waitFor();
        t.match(await page.locator('main').innerText(), 'Shop');
        await one.seen('off');

        await one.signOut();
        await one.signIn();
        t.match(await one.finished(), /\["pwd"\]/, 'none is asked for');

        // Switching it on takes the phone: it is only of use while that is at hand.
        await press('on');
        await page.locator('button[value=send]').click();
        await one.code(phone);
        await page.waitForURL('**/account/code');
        await one.seen('once-more');
        await press('on');
        await page.locator('form[action="/account/code/on"]').waitFor({ state: 'detached' });
        await one.seen('on');

        await one.signOut();
        await one.signIn();
        await one.code(phone);
        t.match(await one.finished(), /"pwd","sms","mfa"/, 'it is asked for again');
      }),
    );
  }
});
