// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references are written so
import t from 'tap';
import { headersOf, message, read } from './support.ts';

const hostile = 'a"b\\c\nd $ctx.num {{body}} $1 $& & # % + 😀 مرحبا';

t.test('every placeholder', async (t) => {
  const values: [template: string, value: string][] = [
    ['$ctx.num', '+447700900123'],
    ['{{mobile}}', '+447700900123'],
    ['{{ mobile }}', '+447700900123'],
    ['$ctx.msg', 'Your code is 493817'],
    ['{{body}}', 'Your code is 493817'],
    ['{{  body  }}', 'Your code is 493817'],
    ['$ctx.otp', '493817'],
    ['$ctx.id', 'msg_1'],
    ['$ctx.callback', message.callback],
    ['$ctx.from', 'SALLY'],
    ['$ctx.locale', 'en'],
    ['$ctx.speech', 'Your code is 4, 9, 3, 8, 1, 7'],
    ['$ctx.app.id', 'shop'],
    ['$ctx.app.name', 'Demo shop'],
    ['$ctx.user.department', 'R&D'],
    ['$ctx.user.level', '3'],
    ['$ctx.user.absent', ''],
    ['$ctx.user.constructor', ''],
    ['$num.national', '7700900123'],
    ['$num.digits', '447700900123'],
    ['$num.country', 'GB'],
    ['$secret.key', 's3cr$t'],
    ['base64{AC1:$secret.key}', Buffer.from('AC1:s3cr$t').toString('base64')],
    ['urlencode{$ctx.from &}', 'SALLY%20%26'],
    ['urlencode{base64{a?>}}', 'YT8%2B'],
    ['$$', '$'],
    ['$$ctx.num', '$ctx.num'],
    ['$ctx.num.json', '+447700900123.json'],
    ['$ctx.num-$ctx.otp', '+447700900123-493817'],
    ['{"a":{"b":1}}', '{"a":{"b":1}}'],
  ];
  for (const [template, value] of values) {
    const provider = read({ payload: template, contentType: 'TEXT' }, { secrets: { key: 's3cr$t' } });
    t.equal(provider.send().body, value, template);
  }
});

t.test('what is no placeholder is a fault, with its place and a suggestion', async (t) => {
  const cases: [template: string, said: RegExp][] = [
    ['to=$ctx.nmu', /character 4: unknown placeholder \$ctx\.nmu: did you mean \$ctx\.num\?/],
    ['$ctx.number', /did you mean \$ctx\.num\?/],
    ['$ctx.message', /did you mean \$ctx\.msg\?/],
    ['$ctx.NUM', /did you mean \$ctx\.num\?/],
    ['$ctx.app', /did you mean \$ctx\.app\.(id|name)\?/],
    ['{{ mobil }}', /did you mean \{\{mobile\}\}\?/],
    ['{{#if mobile}}x', /unknown placeholder \{\{#if mobile\}\}/],
    ['to={{ first name }}', /unknown placeholder/],
    ['to={{mobile}', /character 4: no \}\} follows on this \{\{/],
    ['{{whatever}}', /unknown placeholder \{\{whatever\}\}/],
    ['costs $5', /character 7: “\$5” is no placeholder: write \$\$/],
    ['a $ b', /write \$\$ for a dollar sign/],
    ['$whatever', /unknown placeholder \$whatever/],
    ['${NAME}', /no reference/],
    ['$secret.other', /no secret “other”/],
    ['base64{abc', /closing brace/],
    ['$ctx.num:number', /only \$num\.digits/],
    ['$num.digits:number', /meaning in JSON only/],
    ['one\ntwo $nope', /line 2, character 5/],
  ];
  for (const [template, said] of cases) {
    const { faults } = read({ payload: template, contentType: 'TEXT' });
    t.equal(faults.length, 1, template);
    t.equal(faults[0]?.path, 'http.payload');
    t.match(faults[0]?.message, said);
  }
  t.match(read({}, { from: undefined, http: { url: 'https://a.example/?f=$ctx.from' } }).faults, [
    { path: 'http.url', message: /needs the provider’s from/ },
  ]);
});

t.test('a value is never looked at again', async (t) => {
  const sent = { text: hostile };
  const json = read({ payload: '{"bare":$ctx.msg,"quoted":"Hi $ctx.msg!"}' }).send(sent);
  t.same(JSON.parse(json.body ?? ''), { bare: hostile, quoted: `Hi ${hostile}!` });
  const form = read({ payload: 'To=$ctx.num&Body=$ctx.msg' }).send(sent);
  t.same(
    [...new URLSearchParams(form.body ?? '')],
    [
      ['To', message.to],
      ['Body', hostile],
    ],
  );
  const query = read({ url: 'https://sms.example/a/$ctx.msg/b?text=$ctx.msg&last=1', method: 'get' }).send(
    sent,
  );
  const url = new URL(query.path, 'https://sms.example');
  t.equal(decodeURIComponent(url.pathname.split('/')[2] ?? ''), hostile);
  t.same(
    [...url.searchParams],
    [
      ['text', hostile],
      ['last', '1'],
    ],
  );
  const text = read({ payload: '<$ctx.msg>', contentType: 'TEXT' }).send(sent);
  t.equal(text.body, `<${hostile}>`);
});

t.test('the type of the payload', async (t) => {
  const cases: [options: Record<string, unknown>, type: string, body: string][] = [
    [{ payload: '{"to":$ctx.num}' }, 'application/json', '{"to":"+447700900123"}'],
    [{ payload: '[{{mobile}}]' }, 'application/json', '["+447700900123"]'],
    [{ payload: 'To=$ctx.num' }, 'application/x-www-form-urlencoded', 'To=%2B447700900123'],
    [
      { payload: 'Body=$ctx.otp&To=$ctx.num&From=urlencode{FROM_NUM}\n' },
      'application/x-www-form-urlencoded',
      'Body=493817&To=%2B447700900123&From=FROM_NUM',
    ],
    [{ payload: 'Dear $ctx.num' }, 'text/plain; charset=utf-8', 'Dear +447700900123'],
    [{ payload: '$ctx.otp' }, 'text/plain; charset=utf-8', '493817'],
    [
      { payload: '{"to":$ctx.num}', headers: { 'content-TYPE': 'Application/JSON; charset=utf-8' } },
      'Application/JSON; charset=utf-8',
      '{"to":"+447700900123"}',
    ],
    [
      { payload: '{"to":"$num.digits"}', headers: { 'Content-Type': 'application/vnd.api+json' } },
      'application/vnd.api+json',
      '{"to":"447700900123"}',
    ],
    [
      { payload: '<to>$ctx.app.name&amp;$ctx.user.department</to>', contentType: 'XML' },
      'application/xml',
      '<to>Demo shop&amp;R&amp;D</to>',
    ],
    [
      { payload: '{"to":$ctx.num}', contentType: 'TEXT' },
      'text/plain; charset=utf-8',
      '{"to":+447700900123}',
    ],
    [{ payload: '{"to":$num.digits:number}' }, 'application/json', '{"to":447700900123}'],
    [
      { payload: 'a=\u00fc b&to=$ctx.otp', contentType: 'FORM' },
      'application/x-www-form-urlencoded',
      'a=%C3%BC%20b&to=493817',
    ],
  ];
  for (const [options, type, body] of cases) {
    const sent = read(options).send();
    t.equal(headersOf(sent)['content-type'], type, JSON.stringify(options));
    t.equal(sent.body, body);
    t.equal(sent.method, 'POST');
  }
});

t.test('payloads that cannot be', async (t) => {
  const cases: [options: Record<string, unknown>, said: RegExp][] = [
    [{ payload: '{"to":"$ctx.num}', contentType: 'JSON' }, /no JSON/],
    [{ payload: '{"to":$ctx.num}}', contentType: 'JSON' }, /character 16: the payload is no JSON here/],
    [{ payload: '{“to”:$ctx.num}', contentType: 'JSON' }, /character 2: the payload is no JSON here/],
    [{ payload: '{"to":+$ctx.num}', contentType: 'JSON' }, /no JSON/],
    [{ payload: '{"to":"\\$ctx.num"}', contentType: 'JSON' }, /backslash/],
    [{ payload: '{"to":"$num.digits:number"}', contentType: 'JSON' }, /outside the quotes/],
    [{ payload: '<a><![CDATA[$ctx.msg]]></a>', contentType: 'XML' }, /CDATA/],
    [{ payload: '<!-- $ctx.msg --><a/>', contentType: 'XML' }, /comment/],
    [{ payload: 'a=$ctx.num', method: 'GET' }, /GET sends no payload/],
  ];
  for (const [options, said] of cases) {
    const { faults } = read(options);
    t.match(faults, [{ path: 'http.payload', message: said }], JSON.stringify(options));
    t.equal(faults.length, 1);
  }
  t.match(
    read({ payload: '{}', contentType: 'XML', headers: { 'Content-Type': 'application/json' } }).faults,
    [{ path: 'http.contentType', message: /says XML/ }],
  );
});

t.test('headers', async (t) => {
  const cases: [headers: unknown, sent: Record<string, string>][] = [
    [
      { 'X-A': ' $ctx.num ', 'X-N': 1 },
      { 'x-a': '+447700900123', 'x-n': '1' },
    ],
    ['X-A: 1, X-B: $ctx.otp', { 'x-a': '1', 'x-b': '493817' }],
    [
      'X-Version: 1,Authorization: bearer KEY,Accept: application/json',
      {
        'x-version': '1',
        authorization: 'bearer KEY',
        accept: 'application/json',
      },
    ],
    [
      'Accept: text/html, application/json;q=0.9, X-B: a:b:c',
      {
        accept: 'text/html, application/json;q=0.9',
        'x-b': 'a:b:c',
      },
    ],
    [
      'authorisation: qwer1234asdfzxcv, x-csrf: true, x-abc: some-value',
      {
        authorisation: 'qwer1234asdfzxcv',
        'x-csrf': 'true',
        'x-abc': 'some-value',
      },
    ],
    ['', {}],
  ];
  for (const [headers, sent] of cases)
    t.same(headersOf(read({ headers }).send()), sent, JSON.stringify(headers));

  const withComma = read({ headers: 'X-A: $ctx.msg, X-B: 2' }).send({ text: '1, X-Evil: yes' });
  t.same(headersOf(withComma), { 'x-a': '1, X-Evil: yes', 'x-b': '2' }, 'a value adds no header');

  for (const control of ['\r\nX-Evil: 1', '\n', '\0', '\u0007', '\u007f', '\u0085']) {
    t.throws(
      () => read({ headers: { 'X-A': '$ctx.msg' } }).send({ text: `a${control}b` }),
      { name: 'EncodingError' },
      JSON.stringify(control),
    );
  }
  const faults: [headers: unknown, said: RegExp][] = [
    ['nonsense', /“nonsense” is no header/],
    [{ 'X A': '1' }, /no name of a header/],
    [{ '$ctx.num': '1' }, /no name of a header/],
    [{ 'X-A': '1', 'x-a': '2' }, /twice/],
    [{ 'Content-Length': '3' }, /by the connector itself/],
    [{ Host: 'other.example' }, /by the connector itself/],
    [{ 'X-A': 'a\nb' }, /control characters/],
    [{ 'X-A': '$ctx.nope' }, /unknown placeholder/],
  ];
  for (const [headers, said] of faults)
    t.match(read({ headers }).faults[0]?.message, said, JSON.stringify(headers));
});

t.test('methods and addresses', async (t) => {
  for (const method of ['GET', 'Post', 'put', 'pAtCh']) {
    t.equal(read({ method }).send().method, method.toUpperCase());
  }
  t.match(read({ method: 'DELETE' }).faults, [{ path: 'http.method' }]);

  const good: [url: string, path: string][] = [
    ['https://sms.example', '/'],
    ['https://sms.example?to=$ctx.num', '/?to=%2B447700900123'],
    ['https://sms.example/a b/ü?x=<KEY>', '/a%20b/%C3%BC?x=%3CKEY%3E'],
    ['https://sms.example/%41/$num.digits.json', '/%41/447700900123.json'],
    ['https://sms.example/a?f=urlencode{+1 5}', '/a?f=%2B1%205'],
    ['${env:BASE}/send?k=${env:QUERY}', '/v1/send?k=a%26b%3Dc%20d'],
    ['${env:WHOLE}', '/send?to=%2B447700900123'],
  ];
  for (const [url, path] of good) t.equal(read({ url }).send().path, path, url);
  t.equal(read({ url: 'https://sms.example/$ctx.msg/x' }).send({ text: '..' }).path, '/%2E%2E/x');

  const bad: [url: string, said: RegExp][] = [
    ['ftp://sms.example/', /https:\/\/ or http:\/\//],
    ['sms.example/send', /https:\/\/ or http:\/\//],
    ['https://$ctx.app.id.example/', /cannot come from the message/],
    ['https://sms.example:$ctx.otp/', /cannot come from the message/],
    ['$ctx.callback', /cannot come from the message/],
    ['https://sms.example/#$ctx.num', /write %23/],
    ['https://sms.example/?x=$nope', /character 24: unknown placeholder/],
  ];
  for (const [url, said] of bad) t.match(read({ url }).faults, [{ path: 'http.url', message: said }], url);
});

t.test('user information becomes Basic authorization', async (t) => {
  const basic = (pair: string) => `Basic ${Buffer.from(pair).toString('base64')}`;
  t.equal(headersOf(read({ url: 'https://u:p%40ss@sms.example/' }).send()).authorization, basic('u:p@ss'));
  const secret = read({ url: 'https://u:$secret.key@sms.example/' }, { secrets: { key: 'a/b:@' } }).send();
  t.equal(headersOf(secret).authorization, basic('u:a/b:@'));
  t.match(read({ url: 'https://u:p@sms.example/', headers: { authorization: 'x' } }).faults, [
    { path: 'http.url', message: /beside an Authorization header/ },
  ]);
});

t.test('references are values, whatever they hold', async (t) => {
  const token = 'pa$$ctx.num"\\';
  const provider = read({
    headers: { Authorization: 'Bearer ${env:TOKEN}', 'X-Token': '${env:TOKEN}' },
    payload: '{"token":"${env:TOKEN}","options":${env:JSON},"to":$ctx.num}',
  });
  const sent = provider.send();
  t.equal(headersOf(sent).authorization, `Bearer ${token}`);
  t.equal(headersOf(sent)['x-token'], token, 'one that stands alone in a header, too');
  t.same(JSON.parse(sent.body ?? ''), { token, options: { priority: 1 }, to: message.to });
  t.equal(
    read({ payload: '${file:/payload.json}' }).send().body,
    '{"to":"+447700900123"}',
    'a reference alone names the whole template',
  );
});
