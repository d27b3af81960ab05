import t from 'tap';
import { faultsOfApp } from '../../src/apps/checks.ts';
import { type AppDocument, appSchema } from '../../src/apps/document.ts';
import { isRegisteredRedirect, startUrlOf } from '../../src/apps/index.ts';
import { createValidator } from '../../src/config/index.ts';

const issuer = new URL('https://id.example');
const validate = createValidator(appSchema);
const written = {
  id: 'shop',
  name: 'Shop',
  secret: 'a-long-secret-of-the-shop-0123456789',
  redirectUris: ['https://shop.example/callback'],
  flow: 'password',
};

function faultsOf(members: object): string[] {
  const { value, faults } = validate({ ...written, ...members });
  const all = faults.length > 0 ? faults : faultsOfApp(value as AppDocument, { issuer, demo: false });
  return all.map(({ path }) => path);
}

t.test('what an app may say about who its users are to it', async (t) => {
  const cases: [object, string[]][] = [
    [{}, []],
    [{ subjectType: 'pairwise' }, []],
    [
      { subjectType: 'pairwise', redirectUris: ['https://a.example/', 'https://b.example/'] },
      ['subjectType'],
    ],
    [{ subjectType: 'pairwise', redirectUris: ['com.example.shop:/done'] }, ['subjectType']],
    [{ subjectType: 'pairwise', subjectClaim: 'email' }, ['subjectClaim']],
    [{ subjectClaim: 'phone_number' }, []],
    [{ subjectClaim: 'name' }, ['subjectClaim']],
    [{ claims: { roles: 'groups', 'https://shop.example/unit': 'attributes.unit' } }, []],
    [{ claims: { sub: 'username' } }, ['claims.sub']],
    [{ claims: { acr: 'attributes.acr' } }, ['claims.acr']],
    [{ backchannelLogoutUri: 'http://shop.example/logout' }, ['backchannelLogoutUri']],
    [{ initiateLoginUri: 'javascript:alert(1)' }, ['initiateLoginUri']],
    [{ deviceFlow: true, grantTypes: ['refresh_token'], redirectUris: [], flow: undefined }, ['flow']],
  ];
  for (const [members, expected] of cases) t.strictSame(faultsOf(members), expected, JSON.stringify(members));
  t.match(faultsOf({ claims: { hash: 'passwordHash' } }), [/^claims/], 'no other member of a user');
});

t.test('where one starts again', async (t) => {
  t.equal(startUrlOf({ home: null, initiateLoginUri: null }, issuer), null);
  t.equal(
    startUrlOf({ home: 'https://shop.example/', initiateLoginUri: null }, issuer),
    'https://shop.example/',
  );
  t.equal(
    startUrlOf({ home: 'https://shop.example/', initiateLoginUri: 'https://shop.example/login?a=1' }, issuer),
    'https://shop.example/login?a=1&iss=https%3A%2F%2Fid.example',
  );
});

t.test('loopback addresses without a port take any', async (t) => {
  const registered = ['http://[::1]/done', 'http://localhost:4000/exact'];
  t.ok(isRegisteredRedirect('http://[::1]:5555/done', registered));
  t.ok(isRegisteredRedirect('http://localhost:4000/exact', registered));
  t.notOk(isRegisteredRedirect('http://localhost:4001/exact', registered));
  t.notOk(isRegisteredRedirect('http://[::1]:5555/done/', registered));
  t.notOk(isRegisteredRedirect('not a url', registered));
});
