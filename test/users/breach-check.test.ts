import { createHash } from 'node:crypto';
import t, { type Test } from 'tap';
import { createHttpClient } from '../../src/delivery/index.ts';
import { createBreachCheck } from '../../src/users/breach-check.ts';
import { passwordsSection } from '../../src/users/settings.ts';
import { type Behaviour, startGateway } from '../delivery/hostile-gateway.ts';
import { recordingLog } from '../helpers/log.ts';

const password = 'plain words are fine';
const hash = createHash('sha1').update(password).digest('hex').toUpperCase();
const [prefix, suffix] = [hash.slice(0, 5), hash.slice(5)];
const others = ['0018A45C4D1DEF81644B54AB7F969B88D65:1', '00D4F6E8FA6EECAD2A3AA415EEC418D38EC:2'];

const answer =
  (body: string, status = 200): Behaviour =>
  (response) => {
    response.writeHead(status, { 'content-type': 'text/plain' });
    response.end(body);
  };

/** A list that answers in one way, and what was made of it. */
async function lookUp(t: Test, behaviour: Behaviour, typed = password) {
  const server = await startGateway(t, { range: behaviour });
  const client = createHttpClient({
    ...{ timeoutMs: 500, maxBodyBytes: 100_000 },
    egress: { allowPrivateNetwork: true },
  });
  t.teardown(() => client.close());
  const log = recordingLog();
  const rules = { breachCheck: { enabled: true, url: `${server.url}/range/` } };
  const isBreached = createBreachCheck({ get: client.get, rules: () => rules, log });
  return { breached: await isBreached(typed), received: server.received, lines: log.lines };
}

t.test('found or not', async (t) => {
  const cases: [name: string, body: string, breached: boolean][] = [
    ['listed', [...others, `${suffix}:37359195`].join('\r\n'), true],
    ['listed first', [`${suffix}:1`, ...others].join('\n'), true],
    ['listed in lower case', `${suffix.toLowerCase()}:3\r\n`, true],
    ['not listed', others.join('\r\n'), false],
    ['a line of padding', [...others, `${suffix}:0`].join('\r\n'), false],
    [
      'as long as such lists are',
      [...Array.from({ length: 2_000 }, () => others[0]), `${suffix}:2`].join('\r\n'),
      true,
    ],
  ];
  for (const [name, body, breached] of cases) {
    const found = await lookUp(t, answer(body));
    t.equal(found.breached, breached, name);
    t.strictSame(found.lines, [], `${name}: no warning`);
  }
  const composed = await lookUp(
    t,
    answer(`${createHash('sha1').update('caf\u00e9 au lait').digest('hex').slice(5)}:1`),
    'cafe\u0301 au lait',
  );
  t.equal(composed.breached, true, 'composed first, as it is for the password’s own hash');
});

t.test('five characters of the hash leave the machine, and nothing else of the password', async (t) => {
  const { received } = await lookUp(t, answer(others.join('\r\n')));
  t.equal(received.length, 1);
  const { host: _, ...headers } = received[0]?.headers ?? {};
  t.strictSame(
    { ...received[0], headers },
    {
      method: 'GET',
      path: `/range/${prefix}`,
      headers: { 'user-agent': 'sallyport', 'add-padding': 'true', connection: 'keep-alive' },
      body: '',
    },
  );
});

t.test('a list that cannot be asked lets the password pass, and the log says so', async (t) => {
  const cases: [name: string, behaviour: Behaviour, why: RegExp][] = [
    ['an error', answer(`${suffix}:5`, 500), /status 500/],
    ['a refusal', answer(`${suffix}:5`, 429), /status 429/],
    ['a redirect', (response) => response.writeHead(302, { location: '/ok' }).end(), /status 302/],
    ['no answer', () => undefined, /no whole answer within 500 ms/],
    [
      'half an answer',
      (response) => {
        response.writeHead(200);
        response.write(`${suffix}:5\r\n`);
      },
      /no whole answer/,
    ],
    ['a cut connection', (response) => void response.socket?.destroy(), /./],
    ['a page of a hotel', answer('<html>Please sign in to the wireless network</html>'), /something else/],
    ['numbers that are none', answer(`${suffix}:many`), /something else/],
    ['nothing', answer(''), /something else/],
    ['too much', answer(`${others[0]}\r\n`.repeat(10_000)), /too long/],
  ];
  for (const [name, behaviour, why] of cases) {
    const { breached, lines } = await lookUp(t, behaviour);
    t.equal(breached, false, name);
    t.match(lines, [{ level: 'warn', fields: { err: { message: why } } }], name);
    t.equal(lines.length, 1, name);
    const logged = JSON.stringify(
      lines.map(({ fields, message }) => [fields, String((fields as { err: Error }).err.stack), message]),
    );
    t.notOk(logged.toUpperCase().includes(prefix), `${name}: nothing of the hash in the log`);
  }
});

t.test('a private address is refused like everywhere else', async (t) => {
  const server = await startGateway(t, { range: answer(`${suffix}:5`) });
  const client = createHttpClient({ timeoutMs: 500, maxBodyBytes: 1_000 });
  t.teardown(() => client.close());
  const log = recordingLog();
  const rules = { breachCheck: { enabled: true, url: `${server.url}/range/` } };
  const isBreached = createBreachCheck({ get: client.get, rules: () => rules, log });
  t.equal(await isBreached(password), false);
  t.match(log.lines, [{ fields: { err: { name: 'AddressRefused' } } }]);
  t.equal(server.received.length, 0);
});

t.test('switched off, nothing is asked', async (t) => {
  const unused = async () => {
    throw new Error('asked');
  };
  const off = { breachCheck: { enabled: false, url: 'https://list.example/' } };
  const log = recordingLog();
  const isBreached = createBreachCheck({ get: unused, rules: () => off, log });
  t.equal(await isBreached(password), false);
  t.strictSame(log.lines, []);
  const on = { breachCheck: { ...off.breachCheck, enabled: true } };
  t.equal(await isBreached(password, on), false);
  t.equal(log.lines.length, 1, 'what the caller says counts, not what is in force');
});

t.test('addresses of lists', async (t) => {
  const faults = (url: string) =>
    passwordsSection.check?.(
      { breachCheck: { enabled: true, url } },
      {
        collection: () => new Map(),
        setting: () => undefined,
      },
    ) ?? [];
  for (const url of [
    'https://api.pwnedpasswords.com/range/',
    'https://list.example/',
    'https://list.example:8443/a/b/',
  ]) {
    t.strictSame(faults(url), [], url);
  }
  for (const [url, why] of [
    ['http://api.pwnedpasswords.com/range/', /https/],
    ['api.pwnedpasswords.com/range/', /https/],
    ['', /https/],
    ['https://user:pass@list.example/', /no user name/],
    ['https://list.example/range', /end with/],
    ['https://list.example/?hash=', /end with/],
    ['https://list.example/range/?mode=ntlm', /end with/],
    ['https://list.example/#/', /end with/],
  ] as const) {
    t.match(faults(url), [{ path: 'breachCheck.url', message: why }], url);
  }
});
