import { text as readText } from 'node:stream/consumers';
import { Agent } from 'undici';
import { migrations } from '../migrations/index.ts';
import { createAudit } from '../src/audit/index.ts';
import { createReferences } from '../src/config/index.ts';
import { createCrypto } from '../src/crypto/index.ts';
import { attempt } from '../src/delivery/attempt.ts';
import type { PreparedHttp } from '../src/delivery/http/prepare.ts';
import { createDelivery, createEgress, providersSection } from '../src/delivery/index.ts';
import type { Dispatch, GatewayRequest, ProviderDocument, Tools } from '../src/delivery/preset.ts';
import { http } from '../src/delivery/presets/http.ts';
import type { Provider } from '../src/delivery/providers.ts';
import { after, systemClock } from '../src/lib/clock.ts';
import { newId } from '../src/lib/ids.ts';
import { openStorage, sendRiders } from '../src/storage/index.ts';
import { silent } from '../test/helpers/log.ts';

/** One way to get a message to the gateway. */
export interface Way {
  /** One message, to the end of the answer; throws when it was not accepted. */
  send(): Promise<void>;
}

const issuer = new URL('https://id.example');
const secretKey = Buffer.alloc(32, 7);
const tools = { now: systemClock.now() } as Tools;

const documentOf = (url: string): ProviderDocument => ({
  id: 'bench',
  channel: 'sms',
  preset: 'http',
  from: 'SALLYPORT',
  secrets: { token: '0123456789abcdef0123456789abcdef' },
  http: {
    url: `${url}/v1/accounts/bench/messages?reference=$ctx.id`,
    headers: {
      Authorization: 'Bearer $secret.token',
      'Content-Type': 'application/json',
      'X-Reference': '$ctx.id',
    },
    payload: '{"from":$ctx.from,"to":$num.digits,"text":$ctx.msg,"callback":$ctx.callback}',
    success: { status: [202], body: { pointer: '/error', exists: false } },
    messageId: { pointer: '/id' },
    allowPrivateNetwork: true,
  },
});

/** Another number, code and id each time. */
function messageOf(n: number): Dispatch {
  const code = String(100_000 + (n % 900_000));
  const id = `msg_${String(n).padStart(22, '0')}`;
  return {
    ...{ id, channel: 'sms', to: `+44771${String(n % 10_000_000).padStart(7, '0')}`, code },
    text: `${code} is your code for Demo shop. It is valid for 5 minutes.\n\n@id.example #${code}`,
    ...{ locale: 'en', from: 'SALLYPORT', user: { id: 'usr_1', attributes: {} } },
    app: { id: 'shop', name: 'Demo shop' },
    callback: `${issuer.origin}/receipts/bench?message=${id}&s=k1.0123456789abcdef0123456789abcdef0123456789a`,
  };
}

export async function openWay(name: string, url: string, databaseUrl: string): Promise<Way> {
  if (name === 'stored') return storedWay(url, databaseUrl);
  const { prepared, provider } = readProvider(url);
  if (name === 'connector') return connectorWay(provider);
  const request = http.request(messageOf(0), prepared);
  return name === 'dispatch' ? dispatchWay(url, request) : requestWay(url, request);
}

/** A pool as every provider gets it, made by the library alone. */
const createPool = () => new Agent({ connections: 256, connect: { timeout: 5_000, allowH2: false } });

function readProvider(url: string) {
  const document = documentOf(url);
  const prepared = http.prepare({
    document,
    resolve: (written) => written,
    fault: (path, message) => {
      throw new Error(`${path}: ${message}`);
    },
  });
  if (prepared === null) throw new Error('the provider cannot be read');
  const { transport }: PreparedHttp = prepared;
  const { allowPrivateNetwork, proxy } = transport;
  const dispatcher = createEgress({ allowPrivateNetwork, proxy });
  const provider: Provider = {
    ...{ id: 'bench', channel: 'sms', preset: http, from: 'SALLYPORT', broken: null },
    gateway: { preset: http, prepared, transport, dispatcher },
  };
  return { prepared, provider };
}

/** Everything that one provider does for one message: templates, time limits, the rules of success, the gateway's id. */
function connectorWay(provider: Provider): Way {
  let n = 0;
  return {
    async send() {
      n += 1;
      const outcome = await attempt(provider, messageOf(n), 8_000, tools);
      if (outcome.status !== 'accepted') throw new Error(outcome.reason);
    },
  };
}

/** The least that can be done with the library: the same bytes each time, the answer read to its end. */
function dispatchWay(url: string, { method, path, headers, body }: GatewayRequest): Way {
  const pool = createPool();
  const options = { origin: url, method, path, headers: headers.flat(), body };
  return {
    send: () =>
      new Promise<void>((resolve, reject) => {
        const chunks: Buffer[] = [];
        let status = 0;
        pool.dispatch(options, {
          onRequestStart: () => undefined,
          onResponseStart(_controller, code) {
            status = code;
          },
          onResponseData: (_controller, chunk) => void chunks.push(chunk),
          onResponseEnd() {
            const read = Buffer.concat(chunks).toString('utf8');
            if (status === 202 && read !== '') resolve();
            else reject(new Error(`status ${status}`));
          },
          onResponseError: (_controller, error) => reject(error),
        });
      }),
  };
}

function requestWay(url: string, { method, path, headers, body }: GatewayRequest): Way {
  const pool = createPool();
  const options = { origin: url, method, path, headers: headers.flat(), body };
  return {
    async send() {
      const answer = await pool.request(options);
      const read = await readText(answer.body);
      if (answer.statusCode !== 202 || read === '') throw new Error(`status ${answer.statusCode}`);
    },
  };
}

/** From the decision to send to the recorded outcome, on PostgreSQL: rows, seals, breaker, route, audit. */
async function storedWay(url: string, databaseUrl: string): Promise<Way> {
  const clock = systemClock;
  const storage = await openStorage({ databaseUrl, dataDir: '', migrations, clock, log: silent });
  await storage.migrate();
  const crypto = createCrypto([{ id: 'k1', bytes: secretKey }]);
  const references = createReferences({}, () => '');
  const raw = documentOf(url);
  const section = providersSection({ crypto, references, revisions: storage.revisions });
  await storage.transaction((tx) => section.save(tx, { raw, resolved: raw }, 0, clock.now()));
  const delivery = await createDelivery({
    ...{ storage, crypto, clock, log: silent, references, issuer },
    audit: createAudit(),
  });
  let n = 0;
  return {
    async send() {
      n += 1;
      const { to, text, code, locale, app, user } = messageOf(n);
      const now = clock.now();
      const drafted = delivery.draft(
        storage.db,
        {
          ...{ channel: 'sms', purpose: 'login-code', reference: newId('otp'), loginId: newId('lgn') },
          ...{ to, text, code, locale, app, user, freshUntil: after(now, 300_000) },
        },
        now,
      );
      await sendRiders(storage.db, drafted.riders);
      const outcome = await delivery.send(drafted.message);
      if (outcome.status !== 'accepted') throw new Error(outcome.reason);
    },
  };
}
