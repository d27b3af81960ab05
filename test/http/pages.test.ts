import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { text } from '../../src/lib/texts.ts';
import { openTestHttp, viewsDir } from '../helpers/http.ts';

const shop = {
  name: 'Demo <shop>',
  logoUrl: null,
  home: null,
  helpContact: null,
  privacyUrl: null,
  termsUrl: null,
};

t.test('whatever is shown is escaped', async (t) => {
  const { app, http } = await openTestHttp();
  t.teardown(() => app.close());
  const html = await http.render({
    view: 'oidc/consent',
    title: text('consent.title'),
    app: shop,
    locale: 'en',
    data: {
      actionUrl: '/x" onclick="y',
      formToken: 'a b=c',
      user: '<b>{app}</b>',
      scopes: [text('consent.scope.other', { scope: '<i>' })],
    },
  });
  t.match(html, '<title>Allow access · Demo &lt;shop&gt;</title>');
  t.match(html, 'signed in as <strong>&lt;b&gt;{app}&lt;/b&gt;</strong>');
  t.match(html, 'More: &lt;i&gt;');
  t.notMatch(html, /<b>|<i>|<shop>|" onclick/);
});

t.test('a name that is written from right to left turns nothing around it', async (t) => {
  const { app, http } = await openTestHttp();
  t.teardown(() => app.close());
  for (const [scope, said] of [
    ['עדי (2)', 'More: \u2068עדי (2)\u2069<'],
    ['Adi (2)', 'More: Adi (2)<'],
  ] as const) {
    const html = await http.render({
      ...{ view: 'oidc/consent', title: text('consent.title'), app: shop, locale: 'en' },
      data: {
        ...{ actionUrl: '/posted', formToken: 'token', user: 'Adi' },
        scopes: [text('consent.scope.other', { scope })],
      },
    });
    t.match(html, said);
  }
});

t.test('people can reach whoever helps them', async (t) => {
  const { app, http } = await openTestHttp();
  t.teardown(() => app.close());
  const cases: [string, string][] = [
    ['help@example.test', '<a href="mailto:help@example.test">Help</a>'],
    ['+49 30 (1) 23-45', '<a href="tel:+493012345">Help</a>'],
    ['https://example.test/help', '<a href="https://example.test/help">Help</a>'],
    ['Ask at the desk', '<span>Ask at the desk</span>'],
    ['javascript:alert(1)', '<span>javascript:alert(1)</span>'],
  ];
  for (const [helpContact, expected] of cases) {
    const page = {
      view: 'oidc/logged-out',
      title: text('logout.done'),
      locale: 'en',
      data: { heading: text('logout.done') },
    };
    t.match(await http.render({ ...page, app: { ...shop, helpContact } }), expected);
  }
});

t.test('a faulty template is found at the start, a missing value when the page is rendered', async (t) => {
  const faults: [string, RegExp][] = [
    ['{{#if x}}', /views\/faulty\.hbs: Parse error/],
    ['{{shout x}}', /views\/faulty\.hbs/],
    ['{{> nowhere}}', /views\/faulty\.hbs: there is no partial "nowhere"/],
  ];
  for (const [source, expected] of faults) {
    const folder = join(t.testdir(), 'views');
    cpSync(viewsDir, folder, { recursive: true });
    writeFileSync(join(folder, 'faulty.hbs'), source);
    const { app, checkTemplates } = await openTestHttp({ viewsDir: folder });
    await t.rejects(checkTemplates(), { message: expected }, source);
    await app.close();
  }
  const folder = join(t.testdir(), 'views');
  cpSync(viewsDir, folder, { recursive: true });
  writeFileSync(join(folder, 'faulty.hbs'), '{{misspelt}}');
  const { app, http } = await openTestHttp({ viewsDir: folder });
  t.teardown(() => app.close());
  const page = { view: 'faulty', title: text('home.title'), locale: 'en', data: {} };
  await t.rejects(http.render(page), { message: /misspelt/ });
});
