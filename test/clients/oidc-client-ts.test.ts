import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import t, { type Test } from 'tap';
import { closeBrowser, withPage } from '../helpers/browser.ts';
import { alice } from '../helpers/gateway.ts';
import { openWorld } from './support.ts';

t.teardown(closeBrowser);

const library = readFileSync(
  fileURLToPath(new URL('../browser/oidc-client-ts.min.js', import.meta.resolve('oidc-client-ts'))),
);

/** The application: one page, which keeps a UserManager in a global variable, as a small app would. */
const pageFor = (issuer: string, origin: string, id: string): string => `<!doctype html>
<title>An app in the browser</title>
<link rel="icon" href="data:,">
<button onclick="manager.signinRedirect()">Sign in</button>
<button onclick="manager.signinPopup().then(show)">Sign in beside</button>
<button onclick="manager.signoutRedirect()">Sign out</button>
<pre></pre>
<script src="/oidc-client-ts.js"></script>
<script>
  const store = new oidc.WebStorageStateStore({ store: localStorage });
  const settings = {
    authority: ${JSON.stringify(issuer)},
    client_id: ${JSON.stringify(id)},
    redirect_uri: ${JSON.stringify(`${origin}/callback`)},
    post_logout_redirect_uri: ${JSON.stringify(origin)},
    scope: localStorage.scope ?? 'openid profile',
    loadUserInfo: true,
    userStore: store,
  };
  const manager = new oidc.UserManager(settings);
  const show = (user) => {
    document.querySelector('pre').textContent = user ? JSON.stringify(user.profile) : 'nobody';
  };
  if (location.pathname === '/callback') {
    manager.signinCallback().then((user) => { if (user) { history.replaceState(null, '', '/'); show(user); } });
  } else {
    manager.getUser().then(show);
  }
</script>`;

async function openApp(t: Test): Promise<string> {
  const { gateway, origin, serve, id } = await openWorld(t, { secret: undefined });
  serve((request, response) => {
    if (request.url === '/oidc-client-ts.js') {
      response.setHeader('Content-Type', 'text/javascript').end(library);
    } else {
      response.setHeader('Content-Type', 'text/html').end(pageFor(gateway.issuer, origin, id));
    }
  });
  return origin;
}

async function typePassword(page: Page): Promise<void> {
  await page.getByLabel('User name').fill(alice.username);
  await page.getByLabel('Password', { exact: true }).fill(alice.password);
  await page.getByLabel('Password', { exact: true }).press('Enter');
}

const nameShown = async (page: Page): Promise<unknown> => {
  await page.getByText('preferred_username').waitFor();
  return JSON.parse(await page.locator('pre').innerText()).name;
};

/** True when `signinSilent` brings another access token. */
const renews = (page: Page) =>
  page.evaluate<boolean>(
    'manager.getUser().then(async (old) => (await manager.signinSilent()).access_token !== old.access_token)',
  );

await t.test('oidc-client-ts: login by redirect, profile, refresh token, sign-out', async (t) => {
  const origin = await openApp(t);
  await withPage(t, {}, async (page) => {
    await page.goto(origin);
    await page.evaluate("localStorage.scope = 'openid profile offline_access'");
    await page.reload();
    await page.getByText('nobody').waitFor();
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    await typePassword(page);
    t.equal(await nameShown(page), 'Alice');
    t.ok(await renews(page), 'with the refresh token');

    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.locator('button[name=logout]').first().click();
    await page.getByText('nobody').waitFor();
    t.equal(new URL(page.url()).origin, origin);
  });
});

await t.test('oidc-client-ts: login in a pop-up, renewal in a frame', async (t) => {
  const origin = await openApp(t);
  await withPage(t, {}, async (page) => {
    await page.goto(origin);
    await page.getByText('nobody').waitFor();
    const opened = page.waitForEvent('popup');
    await page.getByRole('button', { name: 'Sign in beside' }).click();
    await typePassword(await opened);
    t.equal(await nameShown(page), 'Alice');
    t.ok(await renews(page), 'with prompt=none in a frame');
  });
});
