import t from 'tap';
import { signV4 } from '../../../src/delivery/vendor/signature-v4.ts';
import { common, load, outcomes, wireOf } from './support.ts';

/* https://docs.aws.amazon.com/sns/latest/api/API_Publish.html */

const credentials = {
  accessKeyId: 'AKIDEXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
};
const document = { preset: 'aws-sns', from: 'SALLY', 'aws-sns': { region: 'eu-central-1', ...credentials } };

const signatureOf = (headers: [string, string][]): string =>
  /SignedHeaders=([\w;-]+), Signature=(\w+)$/
    .exec(headers.at(-1)?.[1] ?? '')
    ?.slice(1)
    .join(' ') ?? '';

t.test(
  'the vectors that AWS publishes: aws-sig-v4-test-suite, and the example of the general reference',
  async (t) => {
    const day = new Date('2015-08-30T12:36:00Z');
    const form: [string, string] = ['Content-Type', 'application/x-www-form-urlencoded'];
    const suite = { host: 'example.amazonaws.com', path: '/', query: '', headers: [], body: '' };
    const vectors: [name: string, request: Parameters<typeof signV4>[0], signed: string][] = [
      [
        'get-vanilla',
        { ...suite, method: 'GET' },
        'host;x-amz-date 5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31',
      ],
      [
        'post-vanilla',
        { ...suite, method: 'POST' },
        'host;x-amz-date 5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b',
      ],
      [
        'get-vanilla-query-order-key-case',
        { ...suite, method: 'GET', query: 'Param2=value2&Param1=value1' },
        'host;x-amz-date b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500',
      ],
      [
        'post-x-www-form-urlencoded',
        { ...suite, method: 'POST', headers: [form], body: 'Param1=value1' },
        'content-type;host;x-amz-date ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a',
      ],
    ];
    for (const [name, request, signed] of vectors) {
      const headers = signV4(request, credentials, { region: 'us-east-1', service: 'service' }, day);
      t.equal(signatureOf(headers), signed, name);
    }
    const listUsers = signV4(
      {
        ...{
          method: 'GET',
          host: 'iam.amazonaws.com',
          path: '/',
          query: 'Action=ListUsers&Version=2010-05-08',
        },
        headers: [['Content-Type', 'application/x-www-form-urlencoded; charset=utf-8']],
        body: '',
      },
      credentials,
      { region: 'us-east-1', service: 'iam' },
      day,
    );
    t.equal(
      signatureOf(listUsers),
      'content-type;host;x-amz-date 5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7',
    );
  },
);

const attribute = (n: number, name: string, value: string): string =>
  `&MessageAttributes.entry.${n}.Name=${name}&MessageAttributes.entry.${n}.Value.DataType=String&MessageAttributes.entry.${n}.Value.StringValue=${value}`;
const start = (text: string) =>
  `Action=Publish&Version=2010-03-31&PhoneNumber=%2B447700900123&Message=${text}${attribute(1, 'AWS.SNS.SMS.SMSType', 'Transactional')}`;
const bodyOf = (raw: string): string => raw.slice(raw.indexOf('\r\n\r\n') + 4);

t.test('the bytes', async (t) => {
  const wire = await wireOf(t, document);
  const { raw } = await wire.send();
  const body = start('Your%20code%20is%20493817') + attribute(2, 'AWS.SNS.SMS.SenderID', 'SALLY');
  const [signature] = /[0-9a-f]{64}/.exec(raw) ?? [''];
  t.equal(
    raw,
    [
      'POST / HTTP/1.1',
      'host: sns.eu-central-1.amazonaws.com',
      'connection: keep-alive',
      'Content-Type: application/x-www-form-urlencoded; charset=utf-8',
      'X-Amz-Date: 20260301T100000Z',
      `Authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260301/eu-central-1/sns/aws4_request, SignedHeaders=content-type;host;x-amz-date, Signature=${signature}`,
      `content-length: ${body.length}`,
      '',
      body,
    ].join('\r\n'),
  );
  const numbered = await wire.send({ from: '+15005550006', text: "a+b~c 'd' 💌" });
  t.equal(
    bodyOf(numbered.raw),
    start('a%2Bb~c%20%27d%27%20%F0%9F%92%8C') +
      attribute(2, 'AWS.MM.SMS.OriginationNumber', '%2B15005550006'),
  );
});

t.test('credentials for a while, another host, another type', async (t) => {
  const options = {
    ...document['aws-sns'],
    region: 'cn-north-1',
    sessionToken: 'tok/1',
    smsType: 'Promotional',
  };
  const { raw } = await (await wireOf(t, { preset: 'aws-sns', 'aws-sns': options })).send();
  t.match(raw, 'host: sns.cn-north-1.amazonaws.com.cn\r\n');
  t.match(raw, 'X-Amz-Security-Token: tok/1\r\n');
  t.match(raw, 'SignedHeaders=content-type;host;x-amz-date;x-amz-security-token,');
  t.match(raw, 'StringValue=Promotional');
  const endpoint = 'https://vpce-1.sns.eu-central-1.vpce.amazonaws.com';
  const signatures = await Promise.all(
    [{}, { baseUrl: endpoint }].map(async (more) => {
      const wire = await wireOf(t, { ...document, 'aws-sns': { ...document['aws-sns'], ...more } });
      return /Signature=(\w+)/.exec((await wire.send()).raw)?.[1];
    }),
  );
  t.not(signatures[0], signatures[1], 'the host that is asked is the one that is signed');
  t.match(load({ ...document, 'aws-sns': { ...options, region: 'x/y' } }).faults, [
    { path: 'aws-sns.region' },
  ]);
});

t.test('what the answers mean', async (t) => {
  const error = (status: number, code: string) => ({
    status,
    body: `<ErrorResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><Error><Type>Sender</Type><Code>${code}</Code><Message>no</Message></Error></ErrorResponse>`,
  });
  const taken =
    '<PublishResponse><PublishResult><MessageId>567910cd-659e-55d4-8ccb-5aaf14679dc0</MessageId></PublishResult></PublishResponse>';
  await outcomes(t, await wireOf(t, document), [
    ...common,
    [
      'taken',
      { status: 200, body: taken },
      { status: 'accepted', gatewayId: '567910cd-659e-55d4-8ccb-5aaf14679dc0' },
    ],
    ['bad number', error(400, 'InvalidParameter'), { status: 'rejected' }],
    ['opted out', error(400, 'OptedOut'), { status: 'rejected' }],
    ['throttled', error(400, 'Throttling'), { status: 'unavailable' }],
    ['bad key', error(403, 'InvalidClientTokenId'), { status: 'unavailable' }],
    ['clock is wrong', error(400, 'RequestExpired'), { status: 'unavailable' }],
    ['not allowed', error(403, 'AuthorizationError'), { status: 'unavailable' }],
    ['an error inside', error(500, 'InternalError'), { status: 'unknown' }],
    ['200 with an error body', error(200, 'InvalidParameter'), { status: 'rejected' }],
    ['200 that says nothing', { status: 200, body: '<html>' }, { status: 'unknown' }],
  ]);
});
