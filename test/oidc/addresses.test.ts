import t from 'tap';
import { createBrowser } from '../../src/demo/index.ts';
import { forEachDatabase } from '../helpers/database.ts';
import { openOidc, shop } from './harness.ts';

t.test('an address that is not registered stands beside those that are', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    const gateway = await openOidc(t, storage);
    const inner = ['https://shop.internal/cb', 'https://10.0.0.7/cb', 'https://staging/cb'];
    const open = [
      'https://shop.example/callback',
      'https://shop.example/other?key=of-the-app',
      'com.shop.app:/cb',
    ];
    gateway.apps.set('shop', { ...shop, redirectUris: [...inner, ...open] });
    const configuration = await gateway.configure();
    for (const [sent, shown, hidden] of [
      [
        'https://shop.example/callback/',
        [...open.filter((uri) => !uri.includes('?')), 'other?…', '+ 3'],
        inner,
      ],
      ['https://staging/cb/', ['https://staging/cb\n', '+ 2'], inner.slice(0, 2)],
      ['not an address', ['com.shop.app:/cb'], inner],
    ] as const) {
      const attempt = await gateway.begin(configuration, { redirect_uri: sent });
      const page = await createBrowser().open(attempt.url, gateway.isCallback);
      t.equal(page.status, 400);
      for (const text of [sent, ...shown]) t.ok(page.html.includes(text), `${sent}: shows ${text}`);
      for (const text of [...hidden, 'of-the-app'])
        t.notOk(page.html.includes(text), `${sent}: hides ${text}`);
    }

    const logout = new URL('/session/end', gateway.issuer);
    logout.searchParams.set('client_id', 'shop');
    logout.searchParams.set('post_logout_redirect_uri', 'http://localhost:4501/bye/');
    const page = await createBrowser().open(logout, gateway.isCallback);
    t.match(page, {
      status: 400,
      html: /localhost:4501\/bye\/\nregistered:\n {2}http:\/\/localhost:4501\/bye</,
    });
  });
});
