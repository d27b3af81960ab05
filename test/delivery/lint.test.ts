// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references are written so
import t from 'tap';
import { lintProvider } from '../../src/delivery/index.ts';
import type { ProviderDocument } from '../../src/delivery/preset.ts';

const lint = (http: object, members: object = {}): string[] => {
  const document = {
    ...{ id: 'main', channel: 'sms', preset: 'http' },
    http: { url: 'https://sms.example/send', payload: '{"to":$ctx.num,"text":$ctx.msg}', ...http },
    ...members,
  } as ProviderDocument;
  return lintProvider(document).map(
    ({ level, path, message, mend }) => `${level} ${path} ${message} | ${mend}`,
  );
};

t.test('what is meant is left alone', async (t) => {
  const clean: [http: object, members?: object][] = [
    [{}],
    [{ headers: { Authorization: 'Bearer $secret.token' } }, { secrets: { token: 'x' } }],
    [{ auth: { basic: { username: 'u', password: '$secret.p' } } }, { secrets: { p: 'x' } }],
    [{ payload: '<sms to="$ctx.num"><text>$ctx.msg</text></sms>', contentType: 'XML' }],
    [{ payload: '{"to":$ctx.num,"html":"<b>$ctx.msg</b>","x":"**"}' }],
    [{ payload: '{"to":$num.digits:number,"code":$ctx.otp,"says":"“quoted”: it"}' }],
    [{ url: 'https://sms.example/send?to=$ctx.num&text=$ctx.msg', method: 'GET', payload: '' }],
    [{ url: 'http://sms.internal/', allowPrivateNetwork: true }],
    [{ url: '${env:URL}', payload: undefined }],
    [{ payload: '${file:/etc/sallyport/body.json}' }],
    [{ payload: '$$ctx.num is written $$ctx.num here: $ctx.num $ctx.msg', contentType: 'TEXT' }],
    [{ success: { status: ['200-299'] } }],
  ];
  for (const [http, members] of clean) t.strictSame(lint(http, members), [], JSON.stringify(http));
  t.strictSame(lintProvider({ id: 'x', channel: 'sms', preset: 'simulator' } as ProviderDocument), []);
});

t.test('values that were left in from an example, in every preset', async (t) => {
  const provider = (preset: string, options: object, members: object = {}) =>
    lintProvider({
      id: 'main',
      channel: 'sms',
      preset,
      [preset]: options,
      ...members,
    } as ProviderDocument).map(({ level, path }) => `${level} ${path}`);
  const sid = 'AC0123456789abcdef0123456789abcdef';
  const http = { url: 'https://sms.example/?to=$ctx.num&text=$ctx.msg&from=$ctx.from&k=$secret.k' };
  const blotted = { accountSid: `AC${'X'.repeat(32)}`, authToken: 'a' };
  const cases: [said: string[], preset: string, options: object, members?: object][] = [
    [['error secrets.k'], 'http', http, { from: 'ACME', secrets: { k: '<API_KEY>' } }],
    [['error from'], 'http', http, { from: '{FROM_NUM}', secrets: { k: 'a' } }],
    [['error twilio.authToken'], 'twilio', { accountSid: sid, authToken: '<AuthToken>' }],
    [['error twilio.authToken'], 'twilio', { accountSid: sid, authToken: 'your_auth_token' }],
    [['error vonage.apiSecret'], 'vonage', { apiKey: 'a', apiSecret: '********' }],
    [['warning twilio.accountSid'], 'twilio', blotted],
    [[], 'twilio', blotted, { enabled: false }],
    [['warning twilio.baseUrl'], 'twilio', { accountSid: sid, authToken: 'a', baseUrl: 'http://x.example' }],
    [['warning webhook.url'], 'webhook', { url: 'http://x.example/', secret: 'whsec_a' }],
    [[], 'webhook', { url: 'http://10.0.0.5/', secret: 'whsec_a', allowPrivateNetwork: true }],
    [
      [],
      'vonage',
      { apiKey: 'a', apiSecret: 'a<b>{c}****your_key' },
      { from: 'ACME <no-reply@acme.example>' },
    ],
    [[], 'twilio', { accountSid: sid, authToken: '${env:TOKEN}' }],
    [[], 'twilio', { accountSid: sid, authToken: '${stored}' }],
  ];
  for (const [said, preset, options, members] of cases)
    t.strictSame(provider(preset, options, members), said, JSON.stringify({ ...options, ...members }));
});

t.test('what is probably not meant', async (t) => {
  const cases: [http: object, said: RegExp, members?: object][] = [
    [{ headers: { Authorization: 'Bearer <API_KEY>' } }, /^error http\.headers\.Authorization “<API_KEY>”/],
    [{ headers: 'Authorization: bearer ' }, /^error http\.headers the header Authorization holds no key/],
    [{ headers: { 'X-Key': 'YOUR_API_KEY' } }, /^error http\.headers\.X-Key “YOUR_API_KEY”/],
    [{ url: 'https://sms.example/{auth_id}/send' }, /^error http\.url “\{auth_id\}”/],
    [{ auth: { bearer: { token: '********' } } }, /^error http\.auth\.bearer\.token “\*+”/],
    [{ payload: 'to=$ctx.num&from=urlencode{FROM_NUM}&text=$ctx.msg' }, /^error http\.payload “FROM_NUM”/],
    [
      { payload: 'to=ctx.num&text=$ctx.msg' },
      /^error http\.payload ctx\.num lacks .* did you mean \$ctx\.num\?/,
    ],
    [{ payload: '{“to”:$ctx.num,"text":$ctx.msg}' }, /^error http\.payload holds typographic quotes/],
    [{ payload: '{"to":$ctx.num,"text":$ctx.msg' }, /^error http\.payload has 1 closing brace too few/],
    [
      { payload: '{"to":[$ctx.num]],"text":$ctx.msg}}}' },
      /^error http\.payload has 2 closing braces too many/,
    ],
    [
      { payload: '{"to":[$ctx.num]],"text":$ctx.msg}' },
      /^error http\.payload has 1 closing bracket too many/,
    ],
    [{ payload: '{"to":" $ctx.num","text":$ctx.msg}' }, /^warning http\.payload has blanks around/],
    [{ payload: 'to= $ctx.num&text=$ctx.msg' }, /^warning http\.payload has blanks around/],
    [{ payload: '{"text":$ctx.msg}' }, /^warning http never says the number/],
    [{ payload: '{"to":$ctx.num}' }, /^warning http never says the text/],
    [{}, /^warning secrets\.spare is never used/, { secrets: { spare: 'x' } }],
    [{ url: 'https://sms.example/?api_key=k&x=1' }, /^warning http\.url holds secrets \(api_key\)/],
    [{ url: 'https://u:p@sms.example/' }, /^warning http\.url holds secrets \(the user information\)/],
    [{ url: 'http://sms.example/' }, /^warning http\.url is not encrypted/],
    [
      { auth: { oauth2: { tokenUrl: 'http://l.example', clientId: 'a', clientSecret: 'b' } } },
      /^warning http\.auth\.oauth2\.tokenUrl is not encrypted/,
    ],
    [
      { url: 'https://api.twilio.com/2010-04-01/Accounts/AC1/SMS/Messages.json' },
      /retired \| the path is …\/Messages\.json/,
    ],
    [{ url: 'https://api.nexmo.com/v0.1/dispatch' }, /retired \| .*vonage-messages/],
    [{ url: 'https://rest.nexmo.com/sms/json' }, /^warning http\.success takes every answer of status 200/],
    [{ success: { status: [200, '400-499'] } }, /^warning http\.success\.status takes the status 400-499/],
  ];
  for (const [http, said, members] of cases) {
    const found = lint(http, members);
    t.equal(found.filter((line) => said.test(line)).length, 1, `${said}: ${found.join('\n')}`);
  }
});
