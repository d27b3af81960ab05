import t from 'tap';
import { faultOfLink, faultOfLoginUrl, faultOfRedirect } from '../../src/apps/uris.ts';

t.test('redirect URIs: whole, exact, and safe on the way', (t) => {
  for (const uri of [
    'https://shop.example/callback',
    'https://shop.example/callback?tenant=1',
    'http://localhost:3001/callback',
    'http://127.0.0.1/cb',
    'http://[::1]:9/cb',
    'com.example.app:/callback',
    'com.example.app://callback',
  ]) {
    t.equal(faultOfRedirect(uri), null, uri);
  }
  const refused: [uri: string, why: RegExp][] = [
    ['not a uri', /no absolute URI/],
    ['/callback', /no absolute URI/],
    ['shop.example/callback', /no absolute URI/],
    ['https://', /no absolute URI/],
    [' https://shop.example/', /no absolute URI/],
    ['https://shop.example/#cb', /fragment/],
    ['https://shop.example/#', /fragment/],
    ['https://*.shop.example/cb', /wildcard/],
    ['https://u:p@shop.example/cb', /user name/],
    ['http://shop.example/cb', /https/],
    ['http://localhost.evil.example/cb', /https/],
    ['javascript:alert(1)', /scheme/],
    ['data:text/html,x', /scheme/],
    ['myapp:/cb', /scheme/],
    ['ftp://shop.example/', /scheme/],
  ];
  for (const [uri, why] of refused) {
    const fault = faultOfRedirect(uri) ?? '';
    t.match(fault, why, uri);
    t.ok(fault.includes(uri), 'the sentence names it');
  }
  t.end();
});

t.test('links', (t) => {
  for (const uri of ['https://a.example/x#y', 'http://localhost:3001/']) t.equal(faultOfLink(uri), null, uri);
  for (const uri of ['http://a.example', 'javascript:alert(1)', 'mailto:a@b', '/x', '']) {
    t.match(faultOfLink(uri), /https/, uri);
  }
  t.end();
});

t.test('own login pages stand on the same site', (t) => {
  const issuer = new URL('https://login.example.com');
  for (const uri of ['https://www.example.com/login', 'https://example.com/', 'https://a.b.example.com/x']) {
    t.equal(faultOfLoginUrl(uri, issuer), null, uri);
  }
  for (const uri of ['https://example.org/', 'https://notexample.com/', 'https://www.example.com/?a=1']) {
    t.not(faultOfLoginUrl(uri, issuer), null, uri);
  }
  t.equal(faultOfLoginUrl('http://localhost:5173/login', new URL('http://localhost:3000')), null);
  t.not(faultOfLoginUrl('http://127.0.0.1:5173/', new URL('http://127.0.0.2:3000')), null);
  t.end();
});
