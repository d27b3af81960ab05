import * as client from 'openid-client';
import { createBrowser, type SmsGateway } from '../../src/demo/index.ts';
import { openLogin, passPassword, type TestApp } from '../helpers/relying-party.ts';
import { type Journal, logIn, type Person } from './people.ts';

/** What a gateway is asked for all day: everything that leaves rows behind, and much that is never finished. */
export interface MixedLoad {
  /** Does the next thing. Throws when the gateway answers what it should not. */
  next(person: Person): Promise<void>;
  /** How often each thing was done. */
  done: Record<string, number>;
}

const scope = { scope: 'openid profile offline_access', prompt: 'consent' };

/** An app whose requests are pushed beforehand. */
const pushing = (app: TestApp): TestApp => ({
  ...app,
  async begin(extra) {
    const attempt = await app.begin(extra);
    const url = await client.buildAuthorizationUrlWithPAR(app.configuration, attempt.url.searchParams);
    return { ...attempt, url };
  },
});

function expect(condition: boolean, sentence: string): void {
  if (!condition) throw new Error(sentence);
}

/** `clumsy`: people who type wrong codes until they are locked out; nobody else may log in as one of them. */
export function createMixedLoad(
  app: TestApp,
  sms: SmsGateway,
  journal: Journal,
  clumsy: Person[],
): MixedLoad {
  const { configuration } = app;

  async function useTokens(person: Person, via: TestApp): Promise<void> {
    let tokens = await logIn(via, sms, person, journal, scope);
    for (let i = 0; i < 2; i += 1) {
      const claims = await client.fetchUserInfo(configuration, tokens.access_token, client.skipSubjectCheck);
      expect(typeof claims.sub === 'string', 'userinfo names nobody');
      const { active } = await client.tokenIntrospection(configuration, tokens.access_token);
      expect(active, 'introspection does not know a token');
      tokens = await client.refreshTokenGrant(configuration, tokens.refresh_token ?? '');
    }
    await client.tokenRevocation(configuration, tokens.refresh_token ?? '');
  }

  /** Opens the page, passes the password as well if `further`, and goes away. */
  async function abandon(person: Person, further: boolean): Promise<void> {
    const walk = await openLogin(app);
    expect(walk.page.status === 200, `the login's page answers ${walk.page.status}`);
    if (!further) return;
    const { page } = await passPassword(app, walk, person);
    expect(page.status === 200, `the password is answered by ${page.status}`);
  }

  async function mistype(): Promise<void> {
    const person = clumsy[turn % clumsy.length];
    if (!person) return;
    const browser = createBrowser();
    const walk = await openLogin(app, browser);
    const wrong = await passPassword(app, walk, { username: person.username, password: 'not this one' });
    expect(wrong.page.status < 500, `a wrong password is answered by ${wrong.page.status}`);
    const { page } = await passPassword(app, await openLogin(app, browser), person);
    const answer = await browser.submit(page, { code: '000000' }, app.isCallback);
    expect(answer.status < 500, `a wrong code is answered by ${answer.status}`);
    await openLogin(app, createBrowser(), { login_hint: `nobody-${journal.logins}` });
  }

  /** A device asks for a code that nobody types. */
  async function askForDevice(): Promise<void> {
    const { user_code: code } = await client.initiateDeviceAuthorization(configuration, { scope: 'openid' });
    expect(code.length > 0, 'a device gets no code');
  }

  const things: [string, (person: Person) => Promise<void>][] = [
    ['logins with tokens that are used', (person) => useTokens(person, app)],
    ['logins opened and left', (person) => abandon(person, false)],
    ['the same by a pushed request', (person) => useTokens(person, pushing(app))],
    ['logins left before the code', (person) => abandon(person, true)],
    ['wrong passwords and codes', mistype],
    ['devices that nobody connects', askForDevice],
  ];
  const done = Object.fromEntries(things.map(([name]) => [name, 0]));
  let turn = 0;
  return {
    done,
    async next(person) {
      const [name, work] = things[turn++ % things.length] ?? things[0] ?? ['', askForDevice];
      await work(person);
      done[name] = (done[name] ?? 0) + 1;
    },
  };
}
