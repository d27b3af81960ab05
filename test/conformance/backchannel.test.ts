import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import t, { type Test } from 'tap';
import { client, createParty, openSuite } from './support.ts';

/* Back-channel logout plan. */

const event = 'http://schemas.openid.net/event/backchannel-logout';

interface Notice {
  contentType: string | undefined;
  form: URLSearchParams;
}

/** The application's address for notices; `next` waits for one. */
async function startReceiver(t: Test) {
  const waiting: ((notice: Notice) => void)[] = [];
  const arrived: Notice[] = [];
  const server = createServer(async (request, response) => {
    const notice = {
      contentType: request.headers['content-type'],
      form: new URLSearchParams(await text(request)),
    };
    const waiter = waiting.shift();
    if (waiter) waiter(notice);
    else arrived.push(notice);
    response.writeHead(200).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => new Promise((resolve) => server.close(resolve)));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    url: `http://127.0.0.1:${address.port}/backchannel`,
    next: (): Promise<Notice> =>
      new Promise((resolve) => {
        const notice = arrived.shift();
        if (notice) resolve(notice);
        else waiting.push(resolve);
      }),
  };
}

await t.test('back-channel logout plan', async (t) => {
  const receiver = await startReceiver(t);
  const gateway = await openSuite(t, { backchannelLogoutUri: receiver.url, allowPrivateNetwork: true });
  const party = createParty(gateway, 'query');

  await t.test('oidcc-backchannel-logout-discovery-endpoint-verification', async (t) => {
    const document = await party.discovery();
    t.equal(document.backchannel_logout_supported, true);
    t.equal(document.backchannel_logout_session_supported, true);
    t.equal(document.end_session_endpoint, `${party.issuer}/session/end`);
  });

  await t.test('oidcc-backchannel-rp-initiated-logout', async (t) => {
    const { browser, tokens, claims } = await party.signIn();
    const url = new URL('/session/end', party.issuer);
    url.searchParams.set('id_token_hint', tokens.id_token);
    url.searchParams.set('post_logout_redirect_uri', client.home);
    const question = await browser.open(url, party.isCallback);
    const done = await browser.submit(question, { logout: 'yes' }, party.isCallback);
    t.equal(done.url.href, client.home);

    const { contentType, form } = await receiver.next();
    t.match(contentType, /^application\/x-www-form-urlencoded/);
    t.same([...form.keys()], ['logout_token']);
    const { payload, protectedHeader } = await party.verify(form.get('logout_token') ?? '');
    t.equal(protectedHeader.typ, 'logout+jwt');
    t.equal(payload.sub, claims.sub);
    t.type(claims.sid, 'string');
    t.equal(payload.sid, claims.sid, 'the session that the ID token named');
    t.type(payload.jti, 'string');
    t.same(payload.events, { [event]: {} });
    t.notOk('nonce' in payload, 'so that it cannot pass for an ID token (section 2.4)');
    t.ok(Number(payload.exp) - Number(payload.iat) <= 120, 'and holds for two minutes at most');
  });
});
