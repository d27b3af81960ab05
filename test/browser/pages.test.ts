/** Every page as people meet it, in a real browser: faultless, in every language, with the keyboard, without JavaScript. */
import type { Page } from 'playwright-core';
import t from 'tap';
import { closeBrowser, expectNoAxeFindings, withPage } from '../helpers/browser.ts';
import { serveSamples } from './sample-server.ts';
import { samples } from './samples.ts';

// Chromium has to be unpacked first, and every page is looked at several times.
t.setTimeout(300_000);

const phone = { width: 390, height: 844 };
const desk = { width: 1280, height: 800 };

const { address, close, posted } = await serveSamples();
t.teardown(async () => {
  await closeBrowser();
  await close();
});

/** Where contrast is looked at in every pair of size and scheme. */
const inAllLooks = ['sms-otp-error', 'sms-otp', 'consent', 'choose'];

t.test('no page has an accessibility fault, large or small, light or dark', async (t) => {
  await withPage(t, { viewport: desk, colorScheme: 'light' }, async (page) => {
    for (const name of [...Object.keys(samples), '../nowhere']) {
      const others = [
        [phone, 'light'],
        [desk, 'dark'],
      ] as const;
      await page.setViewportSize(desk);
      await page.emulateMedia({ colorScheme: 'light' });
      await page.goto(address(name));
      // One page in all its looks: loading it again would not change what stands on it.
      for (const [viewport, colorScheme] of [
        [desk, 'light'],
        ...(inAllLooks.includes(name) ? others : []),
        [phone, 'dark'],
      ] as const) {
        await page.setViewportSize(viewport);
        await page.emulateMedia({ colorScheme });
        await expectNoAxeFindings(t, page, `${name}, ${viewport.width} px, ${colorScheme}`);
      }
    }
  });
});

t.test('a wait of hours is told in hours, by the server and by the script', async (t) => {
  for (const javaScript of [false, true]) {
    await withPage(t, { javaScript }, async (page) => {
      await page.goto(address('sms-otp-held'));
      // The script counts four times a second.
      await page.waitForTimeout(300);
      t.match(await page.textContent('button .wait'), /^in 12 h$/);
    });
  }
});

t.test('every page speaks every language and fits, on a small phone and enlarged', async (t) => {
  for (const locale of ['en', 'de', 'fr', 'es']) {
    await withPage(t, { viewport: { width: 320, height: 568 } }, async (page) => {
      for (const name of Object.keys(samples)) {
        await page.goto(address(name, locale));
        const { lang, overflow, title, body } = await page.evaluate(facts);
        t.equal(lang, locale);
        t.equal(overflow, 0, `${name} (${locale}) does not scroll sideways`);
        t.match(title, /\S · \S/);
        t.notMatch(
          `${title} ${body}`,
          /\{\w+\}|\b[a-z-]+\.[a-z]+[A-Z]\w*\b/,
          `${name} (${locale}) has its texts`,
        );
      }
    });
  }
});

/** Runs in the page. */
function facts() {
  const { document } = globalThis as unknown as { document: PageDocument };
  const root = document.documentElement;
  return {
    lang: root.lang,
    overflow: Math.max(0, root.scrollWidth - root.clientWidth),
    title: document.title,
    body: document.querySelector('main')?.innerText ?? '',
  };
}
interface PageDocument {
  documentElement: { lang: string; scrollWidth: number; clientWidth: number };
  title: string;
  querySelector(selector: string): { innerText: string } | null;
}

/** Runs in the page: what stands on each, and its height. */
const measured = (controls: unknown[]) =>
  (controls as { innerText: string; getBoundingClientRect(): { height: number } }[]).map((control) => ({
    text: control.innerText,
    height: control.getBoundingClientRect().height,
  }));

t.test('controls are large enough to be hit, and errors move nothing', async (t) => {
  await withPage(t, { viewport: phone }, async (page) => {
    for (const name of Object.keys(samples)) {
      await page.goto(address(name));
      // A box is ticked by its label as well.
      const controls = page.locator(
        'main button:visible, main input:not([type=checkbox]):visible, main .check label:visible, main select:visible, a.primary, a.secondary',
      );
      for (const { text, height } of await controls.evaluateAll(measured)) {
        t.ok(height >= 44, `${name}: ${text} is 44 px high`);
      }
    }
    const heights = [];
    for (const name of ['password', 'password-error']) {
      await page.goto(address(name));
      heights.push((await page.locator('button.primary').boundingBox())?.y);
    }
    t.equal(heights[0], heights[1]);
  });
});

t.test('an error is announced: in the title, at its field, and the field has the focus', async (t) => {
  await withPage(t, { viewport: phone }, async (page) => {
    await page.goto(address('password-error'));
    t.equal(await page.title(), 'Error: Sign in · Demo shop');
    const field = page.getByLabel('Password', { exact: true });
    t.equal(await field.getAttribute('aria-invalid'), 'true');
    const described = await field.getAttribute('aria-describedby');
    t.equal(await page.locator(`#${described}`).innerText(), 'That user name and password do not match.');
    t.equal(await focused(page), 'password');
    t.equal(await page.getByLabel('User name').inputValue(), 'demo', 'what is safe is kept');
  });
});

const focused = (page: Page) => page.locator(':focus').getAttribute('name');

t.test(
  'the keyboard goes through a page in reading order, and Enter presses the primary button',
  async (t) => {
    await withPage(t, { viewport: desk }, async (page) => {
      await page.goto(address('password'));
      const order = [];
      for (let presses = 0; presses < 5; presses++) {
        order.push(
          (await page.locator(':focus').getAttribute('id')) ?? (await page.locator(':focus').innerText()),
        );
        await page.keyboard.press('Tab');
      }
      t.same(order, ['field-username', 'field-password', 'Show', 'Forgot password?', 'Continue']);
      await page.getByLabel('User name').fill('demo');
      await page.getByLabel('Password', { exact: true }).fill('a password');
      await page.keyboard.press('Enter');
      await page.waitForURL('**/posted');
      t.match(posted(), {
        action: 'submit',
        username: 'demo',
        password: 'a password',
        _token: 'token',
        version: '3',
      });
    });
  },
);

t.test('a code that is pasted with blanks goes out by itself, once', async (t) => {
  let posts = 0;
  await withPage(t, { viewport: phone }, async (page) => {
    page.on('request', (request) => {
      if (request.method() === 'POST') posts++;
    });
    await page.goto(address('sms-otp'));
    t.equal(await focused(page), 'code');
    await page.keyboard.insertText('123 456');
    await page.waitForURL('**/posted');
    t.match(posted(), { action: 'submit', code: '123 456' });
    t.equal(posts, 1);
  });
});

t.test('a button that has to wait counts down and is then enabled', async (t) => {
  await withPage(t, { viewport: phone }, async (page) => {
    await page.clock.install();
    await page.goto(address('sms-otp'));
    const button = page.getByRole('button', { name: /Send again/ });
    t.equal(await button.innerText(), 'Send again in 23 s');
    t.ok(await button.isDisabled());
    await page.clock.runFor(20_000);
    t.equal(await button.innerText(), 'Send again in 3 s');
    await page.clock.runFor(4_000);
    t.equal((await button.innerText()).trim(), 'Send again');
    t.ok(await button.isEnabled());
  });
});

t.test('the password can be shown, and is hidden again before it is sent', async (t) => {
  await withPage(t, { viewport: phone }, async (page) => {
    await page.goto(address('password-known'));
    t.equal(await focused(page), 'password');
    t.equal(await page.getByLabel('User name').getAttribute('readonly'), '');
    const field = page.locator('input[name=password]');
    await page.getByRole('button', { name: 'Show password' }).click();
    t.equal(await field.getAttribute('type'), 'text');
    t.equal(await page.getByRole('button', { name: 'Hide password' }).innerText(), 'Hide');
    await page.evaluate(`
      document.querySelector('form').addEventListener('submit', (event) => event.preventDefault());
      document.querySelector('input[name=password]').value = 'x';
    `);
    await field.press('Enter');
    t.equal(await field.getAttribute('type'), 'password');
  });
});

t.test('without JavaScript everything works', async (t) => {
  await withPage(t, { viewport: phone, javaScript: false }, async (page) => {
    await page.goto(address('password'));
    t.equal(await page.getByRole('button', { name: 'Show' }).count(), 0, 'no button that would do nothing');
    await page.getByLabel('User name').fill('demo');
    await page.getByLabel('Password', { exact: true }).fill('a password');
    await page.keyboard.press('Enter');
    await page.waitForURL('**/posted');
    t.match(posted(), { action: 'submit', username: 'demo', password: 'a password' });

    await page.goto(address('sms-otp'));
    t.match(await page.locator('main').innerText(), 'Reload this page in 23 s to go on.');
    await page.getByRole('button', { name: 'Use a backup code' }).click();
    await page.waitForURL('**/posted');
    t.match(
      posted(),
      { action: 'choose:backup-code', code: '' },
      'another way may be taken with an empty field',
    );

    await page.goto(address('consent'));
    await page.getByRole('button', { name: 'Do not allow' }).click();
    t.match(posted(), { action: 'deny', _token: 'token' });
    await page.goto(address('logout'));
    await page.getByRole('button', { name: 'Sign out' }).click();
    t.match(posted(), { logout: 'yes', xsrf: 'xsrf' });
  });
});

t.test('a challenge without JavaScript says how to go on, in every language', async (t) => {
  await withPage(t, { viewport: phone, javaScript: false }, async (page) => {
    for (const locale of ['en', 'de', 'fr', 'es']) {
      for (const kind of ['', '-turnstile', '-hcaptcha', '-recaptcha']) {
        await page.goto(address(`challenge${kind}`, locale));
        t.ok((await page.locator('main .sentence').innerText()).length > 80, `${kind} ${locale}`);
        const button = page.locator('button.primary');
        t.equal(await button.isDisabled(), kind === '', 'only the wait of our own work is known');
      }
    }
    await page.goto(address('challenge'));
    t.match(await page.locator('main').innerText(), 'Reload this page in 60 s to go on.');
  });
});
