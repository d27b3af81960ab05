import { generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import t from 'tap';
import { type Dispatch, type GatewayRequest, isHttp } from '../../../src/delivery/preset.ts';
import { presets } from '../../../src/delivery/presets/index.ts';
import { load, message, presetOf, sid, tools } from './support.ts';

/*
 * A hundred thousand texts through everything that a message is written into, read back by the parsers that a gateway
 * would use: URL, URLSearchParams, JSON.parse, and a strict reader of XML. Each goes through every kind of template, and
 * through every preset.
 */
const numRuns = 100_000;

const { privateKey } = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  publicKeyEncoding: { type: 'spki', format: 'pem' },
});

const pieces = [
  ...[
    '"',
    "'",
    '\\',
    '&',
    '+',
    '%',
    '#',
    '?',
    '/',
    '..',
    '=',
    ';',
    ' ',
    '\n',
    '\r\n',
    '\t',
    '\0',
    '\u001b',
    '\u2028',
  ],
  ...[
    '$ctx.msg',
    '{{body}}',
    '{{ mobile }}',
    '$&',
    '$1',
    '$$',
    '$`',
    '$secret.key',
    'base64{',
    '}',
    '%41',
    '%00',
  ],
  ...[
    '<',
    '>',
    ']]>',
    '<!--',
    '&amp;',
    '&#x41;',
    '</Say>',
    '\u{1F48C}',
    '\u05E9\u05DC\u05D5\u05DD',
    '\u202E',
    '\u0301',
    '\ud800',
    'a',
    '493817',
  ],
];
const anyText = fc.oneof(
  fc.array(fc.constantFrom(...pieces), { maxLength: 8 }).map((parts) => parts.join('')),
  // Any code points, halves of surrogate pairs among them; half of them ASCII.
  fc
    .array(fc.oneof(fc.nat({ max: 0x7f }), fc.nat({ max: 0x10ffff })), { maxLength: 12 })
    .map((points) => String.fromCodePoint(...points)),
);

type Send = (sent: Partial<Dispatch>) => GatewayRequest;

function open(preset: string, options: object, members: object = {}): Send {
  const { faults, prepared } = load({ preset, from: '+15005550006', ...members, [preset]: options });
  const found = presetOf(preset);
  if (!isHttp(found) || faults.length > 0) throw new Error(JSON.stringify(faults));
  return (sent) => found.request({ ...message, ...sent }, prepared, tools) as GatewayRequest;
}

const ofJson = ({ body }: GatewayRequest) => JSON.parse(body ?? '');
const ofForm = ({ body }: GatewayRequest, name: string) =>
  new URLSearchParams(body ?? '').getAll(name).join('|');

/** What stands where the text was put. */
const vendors: Record<string, [send: Send, read: (request: GatewayRequest) => unknown]> = {
  twilio: [open('twilio', { accountSid: sid, authToken: 't' }), (r) => ofForm(r, 'Body')],
  vonage: [open('vonage', { apiKey: 'k', apiSecret: 's' }), (r) => ofJson(r).text],
  'vonage-messages': [
    open('vonage-messages', { apiKey: 'k', apiSecret: 's', channel: 'sms' }),
    (r) => ofJson(r).text,
  ],
  clickatell: [open('clickatell', { apiKey: 'k' }), (r) => ofJson(r).content],
  plivo: [open('plivo', { authId: 'k', authToken: 't' }), (r) => ofJson(r).text],
  bulksms: [open('bulksms', { tokenId: 'k', tokenSecret: 't' }), (r) => ofJson(r).body],
  infobip: [
    open('infobip', { apiKey: 'k', baseUrl: 'https://i.example' }),
    (r) => ofJson(r).messages[0].text,
  ],
  messagebird: [open('messagebird', { accessKey: 'k' }), (r) => ofJson(r).body],
  sinch: [open('sinch', { servicePlanId: 'k', apiToken: 't' }), (r) => ofJson(r).body],
  'aws-sns': [
    open('aws-sns', { region: 'eu-west-1', accessKeyId: 'k', secretAccessKey: 's' }),
    (r) => ofForm(r, 'Message'),
  ],
  webhook: [
    open('webhook', { url: 'https://own.example/', secret: Buffer.alloc(32).toString('base64') }),
    (r) => ofJson(r).data.text,
  ],
};

const voices: Record<string, [send: Send, read: (request: GatewayRequest) => unknown]> = {
  'twilio-voice': [
    open('twilio-voice', { accountSid: sid, authToken: 't' }, { channel: 'voice' }),
    (r) => saidTwice(ofForm(r, 'Twiml')),
  ],
  'vonage-voice': [
    open('vonage-voice', { applicationId: 'a', privateKey }, { channel: 'voice' }),
    (r) => ofJson(r).ncco[0].text,
  ],
};

const url = 'https://gw.example';
const http: Record<string, [send: Send, read: (request: GatewayRequest) => unknown]> = {
  JSON: [
    open('http', { url, payload: '{"a":$ctx.msg,"b":"<$ctx.msg>"}' }),
    (r) => (ofJson(r).b === `<${ofJson(r).a}>` ? ofJson(r).a : null),
  ],
  form: [
    open('http', { url, payload: 'a=1&text=$ctx.msg&z=2', contentType: 'FORM' }),
    (r) => ofForm(r, 'text'),
  ],
  URL: [
    open('http', { url: `${url}/a$ctx.msg/x?text=$ctx.msg&z=1`, method: 'GET' }),
    (r) => {
      const { pathname, searchParams } = new URL(r.path, url);
      const segment = decodeURIComponent(pathname.split('/')[1] ?? '').slice(1);
      return segment === searchParams.get('text') && searchParams.get('z') === '1' ? segment : null;
    },
  ],
  XML: [
    open('http', { url, payload: '<m><t>$ctx.msg</t></m>', contentType: 'XML' }),
    (r) => unescaped(/^<m><t>([^<]*)<\/t><\/m>$/.exec(r.body ?? '')?.[1]),
  ],
  header: [
    open('http', { url, headers: { 'X-Text': '[$ctx.msg]', 'X-Last': '1' } }),
    (r) => (r.headers.length === 2 ? r.headers[0]?.[1].slice(1, -1) : null),
  ],
};

const said =
  /^<Response><Say language="en-US">([^<]*)<\/Say><Pause length="1"\/><Say language="en-US">([^<]*)<\/Say><\/Response>$/;

function saidTwice(twiml: string): string | null {
  const [, first, second] = said.exec(twiml) ?? [];
  return first === second ? unescaped(first) : null;
}

const named: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/** Null for what is not well-formed. Bare line ends would be normalised, so none may stand there. */
function unescaped(raw: string | undefined): string | null {
  if (raw === undefined || raw.includes('\r') || raw.includes(']]>')) return null;
  if (/&(?!(?:amp|lt|gt|quot|apos|#\d+);)/.test(raw)) return null;
  return raw.replace(/&(#?)(\w+);/g, (_, numeric: string, name: string) =>
    numeric === '' ? (named[name] ?? '') : String.fromCodePoint(Number(name)),
  );
}

/** XML 1.0, section 2.2: no document can hold these. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
const notXml = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/;
const refuses: Record<string, RegExp> = { 'twilio-voice': notXml, XML: notXml, header: /\p{Cc}/u };

t.test('every preset that writes a request stands here', async (t) => {
  const here = [...Object.keys(vendors), ...Object.keys(voices), 'http'];
  t.same(
    here.sort(),
    presets
      .filter(isHttp)
      .map(({ id }) => id)
      // Which writes no text: it is Twilio's own.
      .filter((id) => id !== 'twilio-verify')
      .sort(),
  );
});

t.test('what is read back is the value; what cannot be written is refused', async (t) => {
  const every = Object.entries({ ...http, ...vendors, ...voices });
  let run = 0;
  fc.assert(
    fc.property(anyText, (text) => {
      run += 1;
      const value = text.toWellFormed();
      for (const [name, [send, read]] of every) {
        const refused = refuses[name]?.test(value) ?? false;
        let found: unknown;
        try {
          // Without a code, so that nothing is spelt for a voice.
          found = read(send({ text, code: null }));
        } catch (error) {
          if (refused && (error as Error).name === 'EncodingError') continue;
          throw error;
        }
        if (refused || found !== value) throw new Error(`${name}: ${JSON.stringify(found)}`);
      }
    }),
    { numRuns },
  );
  t.ok(run >= numRuns, `${run} texts, ${every.length} places`);
});
