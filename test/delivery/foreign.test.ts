// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references are written so
import t, { type Test } from 'tap';
import { readForeign } from '../../src/delivery/foreign/read.ts';
import { lintProvider } from '../../src/delivery/lint/lint.ts';
import type { ProviderDocument } from '../../src/delivery/preset.ts';
import { http } from '../../src/delivery/presets/http.ts';
import type { Fault } from '../../src/lib/problem.ts';
import { message, references } from './support.ts';

/*
 * Documents as identity servers' pages print them, and what goes over the wire once a customer's own values stand in
 * them. The text has what a careless template would break.
 */
const sent = { ...message, to: '+447700900123', text: 'Code 493817 & "more" +1' };

interface Taken {
  document: ProviderDocument;
  errors: string[];
  warnings: string[];
}

function take(written: Record<string, unknown>): Taken {
  const adopted = readForeign(written);
  if (adopted === null) throw new Error('it was not recognized');
  const findings = [...adopted.findings, ...lintProvider(adopted.document)];
  const lines = (level: string) =>
    findings
      .filter((one) => one.level === level)
      .map(({ path, message, mend }) => `${path}: ${message}: ${mend}`);
  return { document: adopted.document, errors: lines('error'), warnings: lines('warning') };
}

function prepare({ document }: Taken) {
  const faults: Fault[] = [];
  const prepared = http.prepare({
    document,
    resolve: (written) => references.resolve(written).value,
    fault: (path, message) => void faults.push({ path, message }),
  });
  return { prepared, faults };
}

/** The request, as text. */
async function wire(taken: Taken): Promise<string> {
  const { prepared, faults } = prepare(taken);
  if (prepared === null || faults.length > 0) throw new Error(JSON.stringify(faults));
  const { method, path, headers, body } = http.request(
    { ...sent, from: taken.document.from ?? null },
    prepared,
  );
  const lines = headers.map(([name, value]) => `${name}: ${value}`);
  return [`${method} ${prepared.transport.origin}${path}`, ...lines, '', body ?? ''].join('\n');
}

const outcomeOf = (taken: Taken, status: number, body: string) => {
  const { prepared } = prepare(taken);
  if (prepared === null) throw new Error('it cannot be read');
  return http.outcome({ status, headers: {}, body, complete: true }, prepared).status;
};

const vonage = {
  sms_url:
    'https://rest.nexmo.com/sms/json?api_key=<API_KEY>&api_secret=<API_SECRET>&from=NEXMO&to=$ctx.num&text=$ctx.msg',
  http_method: 'POST',
  headers: '',
  payload: '',
  http_response: '200',
};
const clickatell = {
  sms_url: 'https://api.clickatell.com/rest/message',
  http_method: 'POST',
  headers: 'X-Version: 1,Authorization: bearer <KEY>,Accept: application/json,Content-Type: application/json',
  payload: '{"text":" $ctx.msg ","to":[" $ctx.num "]}',
  http_response: '202',
};
const plivo = {
  sms_url: 'https://api.plivo.com/v1/Account/{auth_id}/Message/',
  http_method: 'POST',
  headers: 'Authorization: Basic ********,Content-Type: application/json',
  payload: '{"src":"+94*********","dst":"$ctx.num","text":"$ctx.msg"}',
  http_response: '202',
};
const bulksms = {
  sms_url:
    'https://bulksms.vsms.net/eapi/submission/send_sms/2/2.0?username=<u>&password=<p>&message=$ctx.msg&msisdn=$ctx.num',
  http_method: 'POST',
  headers: 'Content-Type: application/x-www-form-urlencoded',
  payload: null,
  http_response: '200',
};
const twilio = {
  sms_url: 'https://api.twilio.com/2010-04-01/Accounts/<AccountSID>/SMS/Messages.json',
  http_method: 'POST',
  headers: 'Authorization: Basic base64{AccountSID:AuthToken}',
  payload: 'Body=$ctx.msg&To=$ctx.num&From=urlencode{FROM_NUM}',
  http_response: '',
};

/** The document with a customer's own values in it. */
const filled = <T extends object>(document: T, values: Record<string, string>): Record<string, unknown> =>
  JSON.parse(
    Object.entries(values).reduce((text, [from, to]) => text.replaceAll(from, to), JSON.stringify(document)),
  );

const encodedText = 'Code%20493817%20%26%20%22more%22%20%2B1';
const encodedNumber = '%2B447700900123';

t.test('what a page has left open stays an error until it is filled in', async (t) => {
  const cases: [document: object, named: string[]][] = [
    [vonage, ['<API_KEY>', '<API_SECRET>']],
    [clickatell, ['<KEY>']],
    [plivo, ['{auth_id}', '********', '*********']],
    [bulksms, ['<u>', '<p>']],
    [twilio, ['<AccountSID>', 'AccountSID', 'AuthToken', 'FROM_NUM']],
    [
      { ...plivo, payload: '{"src":"1","dst":"ctx.num","text":"ctx.msg"}' },
      ['did you mean $ctx.num?', 'did you mean $ctx.msg?'],
    ],
    [{ ...clickatell, headers: 'Authorization: bearer ,Accept: application/json' }, ['holds no key']],
  ];
  for (const [document, named] of cases) {
    const { errors } = take(document as Record<string, unknown>);
    for (const name of named)
      t.ok(
        errors.some((line) => line.includes(name)),
        `${name}: ${errors.join(' | ')}`,
      );
  }
});

async function goes(
  t: Test,
  document: Record<string, unknown>,
  request: string[],
  warned: RegExp[],
): Promise<Taken> {
  const taken = take(document);
  t.strictSame(taken.errors, []);
  t.equal(await wire(taken), request.join('\n'));
  t.equal(taken.warnings.length, warned.length, taken.warnings.join('\n'));
  for (const said of warned)
    t.ok(
      taken.warnings.some((line) => said.test(line)),
      `${said}: ${taken.warnings}`,
    );
  return taken;
}

t.test('Vonage', async (t) => {
  const document = filled(vonage, { '<API_KEY>': 'k3y', '<API_SECRET>': 's3cret' });
  const taken = await goes(
    t,
    document,
    [
      `POST https://rest.nexmo.com/sms/json?api_key=k3y&api_secret=s3cret&from=NEXMO&to=${encodedNumber}&text=${encodedText}`,
      '',
      '',
    ],
    [/http\.url: holds secrets \(api_key, api_secret\)/, /http\.success: .*mended/],
  );
  t.equal(outcomeOf(taken, 200, '{"messages":[{"status":"0"}]}'), 'accepted');
  t.equal(outcomeOf(taken, 200, '{"messages":[{"status":"4"}]}'), 'unavailable');
});

t.test('Clickatell', async (t) => {
  const taken = await goes(
    t,
    filled(clickatell, { '<KEY>': 'k3y' }),
    [
      'POST https://api.clickatell.com/rest/message',
      'X-Version: 1',
      'Authorization: bearer k3y',
      'Accept: application/json',
      'Content-Type: application/json',
      '',
      '{"text":"Code 493817 & \\"more\\" +1","to":["+447700900123"]}',
    ],
    [
      /http\.payload: had blanks.*mended/,
      /http\.url: is an address that its vendor has retired: .*preset clickatell/,
    ],
  );
  t.equal(outcomeOf(taken, 202, ''), 'accepted');
  t.equal(outcomeOf(taken, 200, ''), 'unknown');
});

t.test('Plivo', async (t) => {
  const values = {
    '{auth_id}': 'MAXX',
    'Basic ********': 'Basic TUE6c2VjcmV0',
    '+94*********': '+94771234567',
  };
  const document = filled(plivo, values);
  await goes(
    t,
    document,
    [
      'POST https://api.plivo.com/v1/Account/MAXX/Message/',
      'Authorization: Basic TUE6c2VjcmV0',
      'Content-Type: application/json',
      '',
      '{"src":"+94771234567","dst":"+447700900123","text":"Code 493817 & \\"more\\" +1"}',
    ],
    [],
  );
});

t.test('BulkSMS', async (t) => {
  await goes(
    t,
    filled(bulksms, { '<u>': 'me', '<p>': 'pw' }),
    [
      `POST https://bulksms.vsms.net/eapi/submission/send_sms/2/2.0?username=me&password=pw&message=${encodedText}&msisdn=${encodedNumber}`,
      'Content-Type: application/x-www-form-urlencoded',
      '',
      '',
    ],
    [/holds secrets \(password\)/, /retired: .*preset bulksms/],
  );
});

t.test('Twilio', async (t) => {
  const values = { '<AccountSID>': 'AC1', 'AccountSID:AuthToken': 'AC1:t0ken', FROM_NUM: '+15005550006' };
  const taken = await goes(
    t,
    filled(twilio, values),
    [
      'POST https://api.twilio.com/2010-04-01/Accounts/AC1/Messages.json',
      'Authorization: Basic QUMxOnQwa2Vu',
      'Content-Type: application/x-www-form-urlencoded',
      '',
      `Body=${encodedText}&To=${encodedNumber}&From=%2B15005550006`,
    ],
    [/http\.url: the path \/SMS\/Messages .*mended/],
  );
  t.equal(outcomeOf(taken, 201, '{"sid":"SM1"}'), 'accepted');
});

const custom = {
  name: 'Our gateway',
  provider: 'Custom',
  providerURL: 'https://sms.example/send',
  contentType: 'JSON',
  body: '{"content": {{ body }},"to": {{ mobile }}}',
  'http.method': 'PUT',
  'http.headers': 'authorisation: qwer1234asdfzxcv, x-csrf: true, x-abc: some-value',
};
const customBody = '{"content": "Code 493817 & \\"more\\" +1","to": "+447700900123"}';

t.test('the newer form', async (t) => {
  const request = [
    'PUT https://sms.example/send',
    'authorisation: qwer1234asdfzxcv',
    'x-csrf: true',
    'x-abc: some-value',
    'Content-Type: application/json',
    '',
    customBody,
  ];
  const { document } = await goes(t, custom, request, []);
  t.equal(document.id, 'Our-gateway');
  const { 'http.method': method, 'http.headers': headers, ...rest } = custom;
  await goes(t, { ...rest, http: { method, headers } }, request, []);
  const listed = [
    { key: 'http.method', value: method },
    { key: 'http.headers', value: headers },
  ];
  await goes(t, { ...rest, properties: listed }, request, []);
  await goes(
    t,
    { providerURL: custom.providerURL, body: custom.body },
    ['POST https://sms.example/send', 'Content-Type: application/json', '', customBody],
    [],
  );
  await goes(
    t,
    {
      providerURL: custom.providerURL,
      contentType: 'FORM',
      body: 'to={{mobile}}&text={{body}}',
      sender: 'SALLY',
    },
    [
      'POST https://sms.example/send',
      'Content-Type: application/x-www-form-urlencoded',
      '',
      `to=${encodedNumber}&text=${encodedText}`,
    ],
    [],
  );
  const { errors } = take({ ...custom, body: '{“content”: {{ body }},“to”: {{ mobile }}}}' });
  t.match(errors, [/typographic quotes \(“ ”\)/, /1 closing brace too many/]);
  t.match(take({ ...custom, bodi: 'x' }).errors, [/^bodi: is unknown in this form/]);
  t.equal(readForeign({ id: 'x', preset: 'http', http: { url: 'x' } }), null, 'our own form');
});

t.test('authentication of the newer form', async (t) => {
  const plain = { providerURL: 'https://sms.example/send', body: custom.body };
  const basic = `Authorization: Basic ${Buffer.from('me:p$w').toString('base64')}`;
  const cases: [authentication: object, header: string[]][] = [
    [{ authentication: 'NONE' }, []],
    [{ authentication: { type: 'NONE' } }, []],
    [{ authentication: { type: 'BASIC', properties: { username: 'me', password: 'p$w' } } }, [basic]],
    [{ authentication: 'BASIC', username: 'me', password: 'p$w' }, [basic]],
    [
      {
        authentication: 'BASIC',
        properties: [
          { key: 'username', value: 'me' },
          { key: 'password', value: 'p$w' },
        ],
      },
      [basic],
    ],
    [
      { authentication: { type: 'BEARER', properties: { accessToken: 't0k' } } },
      ['Authorization: Bearer t0k'],
    ],
    [{ authentication: { type: 'API_KEY', properties: { header: 'X-Key', value: 'k$1' } } }, ['X-Key: k$1']],
  ];
  for (const [authentication, header] of cases) {
    const request = [
      'POST https://sms.example/send',
      'Content-Type: application/json',
      ...header,
      '',
      customBody,
    ];
    const { document } = await goes(t, { ...plain, ...authentication }, request, []);
    t.notMatch(JSON.stringify(document.http), /p\$w|t0k|k\$1/, 'secrets stand under secrets');
  }
  for (const type of ['OAuth', 'CLIENT_CREDENTIAL', 'OAUTH2']) {
    const properties = {
      clientId: 'me',
      clientSecret: 's3cret',
      tokenEndpoint: 'https://login.example/token',
      scopes: 'sms',
    };
    const taken = take({ ...plain, authentication: { type, properties } });
    t.strictSame([taken.errors, taken.warnings], [[], []]);
    t.strictSame(taken.document.secrets, { clientSecret: 's3cret' });
    const { prepared, faults } = prepare(taken);
    t.strictSame(faults, []);
    t.equal(prepared?.transport.tokenOrigin, 'https://login.example');
    t.ok(prepared?.authorizer);
  }
  t.match(take({ ...plain, authentication: { type: 'BASIC', properties: { username: 'x' } } }).errors, [
    /lacks password/,
  ]);
  t.match(take({ ...plain, authentication: 'KERBEROS' }).errors, [/no authentication that is known/]);
});
