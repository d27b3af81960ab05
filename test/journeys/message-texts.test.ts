/** What the configuration says is what reaches the phone, by app and language. */
import t from 'tap';
import { alice, eachDatabaseUrl, shop, standard, startGateway } from '../helpers/gateway.ts';
import { codeIn, createTestApp, openLogin, passPassword } from '../helpers/relying-party.ts';

await eachDatabaseUrl(t, async (t, databaseUrl) => {
  const { apps } = standard('');
  const gateway = await startGateway(t, {
    databaseUrl,
    files: {
      apps: [apps[0] as object, { ...apps[0], id: 'other', name: 'Other' }],
      messages: [
        { app: shop.id, locale: 'de', text: '{{code}} für „{{app}}“, {{minutes}} Minuten lang.' },
        { app: shop.id, transliterate: true },
      ],
    },
  });
  const texts = async (id: string, locale: string) => {
    const app = await createTestApp(gateway, { ...shop, id });
    const start = await openLogin(app, undefined, { ui_locales: locale });
    const second = await passPassword(app, start, alice);
    const { text } = await gateway.sms.next(alice.phone, 5_000);
    const code = codeIn(text);
    const done = await start.browser.submit(second.page, { code }, app.isCallback);
    t.ok(app.isCallback(done.url), 'and the code is good');
    return text.replaceAll(code, 'CODE');
  };
  const line = '\n\n@localhost #CODE';
  t.equal(await texts(shop.id, 'de-AT'), `CODE für "Shop", 5 Minuten lang.${line}`);
  t.equal(
    await texts(shop.id, 'fr'),
    `CODE est votre code pour Shop. Il est valable 5 minutes. Ne le donnez à personne.${line}`,
  );
  t.equal(
    await texts('other', 'de'),
    `CODE ist Ihr Code für Other. Er gilt 5 Minuten. Geben Sie ihn niemandem weiter.${line}`,
  );
});
