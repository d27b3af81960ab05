import { randomBytes } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { sql } from 'kysely';
import type { Test } from 'tap';
import { laterMembers } from '../../src/apps/document.ts';
import type { App } from '../../src/apps/types.ts';
import { createAudit } from '../../src/audit/index.ts';
import { filled } from '../../src/config/validation/defaults.ts';
import { createCrypto, createPasswords } from '../../src/crypto/index.ts';
import type {
  Delivery,
  KeptAnswer,
  MessageState,
  NewMessage,
  Outcome,
  OutcomeListener,
} from '../../src/delivery/types.ts';
import type { StepDocument } from '../../src/flows/documents/schema.ts';
import { createFlows, flowsSection, recoverySection, texts } from '../../src/flows/index.ts';
import type { Flows, Screen, StartLogin } from '../../src/flows/types.ts';
import { createGuard, guardSection } from '../../src/guard/index.ts';
import { systemRandom } from '../../src/lib/ids.ts';
import type { NewNotice } from '../../src/notices/types.ts';
import { endGrants } from '../../src/oidc/index.ts';
import { createOtp, otpSection } from '../../src/otp/index.ts';
import { createAccess, createRecovery } from '../../src/people/index.ts';
import { createDevices, createSessions, sessionsSection } from '../../src/sessions/index.ts';
import type { Devices, Sessions } from '../../src/sessions/types.ts';
import { type Rider, sendRiders } from '../../src/storage/index.ts';
import type { Db, Storage } from '../../src/storage/types.ts';
import { createUsers } from '../../src/users/index.ts';
import type { NewUser, User, Users } from '../../src/users/types.ts';
import { openTestHttp } from '../helpers/http.ts';
import { silent } from '../helpers/log.ts';

/** Logins over HTTP with everything real but the application's document and the gateways. */

export const issuer = new URL('http://localhost:3000');

export const ada: NewUser = {
  username: 'ada',
  password: 'plum orchard 1843',
  email: 'ada@example.test',
  emailVerified: true,
  phone: '+447700900167',
  phoneVerified: true,
};

export const appDocument: App = {
  ...laterMembers,
  ...{ id: 'shop', name: 'Demo shop', public: true, secretHashes: [], tokenEndpointAuthMethod: 'none' },
  ...{ redirectUris: [], postLogoutRedirectUris: [], firstParty: true, pkce: 'required', grantTypes: [] },
  ...{ scopes: ['openid'], idTokenSignedResponseAlg: 'ES256', flow: 'main', logoUrl: null },
  ...{ loginUrl: 'https://login.shop.test/sign-in', home: 'https://shop.test/', helpContact: null },
  ...{ privacyUrl: null, termsUrl: null, enabled: true },
};

export const passwordThenCode: StepDocument[] = [
  { id: 'first', options: ['password'] },
  { id: 'second', options: ['sms-otp', 'backup-code'], userMayDisable: true },
];

export interface World {
  storage: Storage;
  clock: { now(): Date; pass(ms: number): void };
  flows: Flows;
  users: Users;
  sessions: Sessions;
  devices: Devices;
  app: FastifyInstance;
  /** What would have gone out, the newest last. */
  messages: NewMessage[];
  /** What was told of accounts. */
  notices: NewNotice[];
  /** What the gateway says to the next messages. */
  outcome: Outcome;
  /** The gateway makes the codes itself, and answers so when it is asked. */
  keeper: { answer(typed: string): KeptAnswer['is']; asked: string[] } | null;
  /** The gateway answers when this has come true. */
  gateway: Promise<void>;
  guard: ReturnType<typeof createGuard>;
  /** Members of gateway.yaml that are not as an empty file has them. */
  written: Record<string, unknown>;
  /** What a captcha's vendor answers. */
  captcha: (form: URLSearchParams) => string;
  /** Who knows more of numbers. */
  lookup: (body: string) => Promise<{ status: number; body: string }>;
  addUser(user?: NewUser): Promise<User>;
  publish(steps: StepDocument[]): Promise<void>;
  browser(start?: Partial<StartLogin>): Promise<Browser>;
}

export async function openWorld(t: Test, storage: Storage, steps: StepDocument[]): Promise<World> {
  let time = new Date('2026-03-01T12:00:00Z').getTime();
  const clock = {
    now: () => new Date(time),
    pass: (ms: number) => {
      time += ms;
    },
  };
  const crypto = createCrypto([{ id: 'k1', bytes: randomBytes(32) }]);
  const { app, http } = await openTestHttp({ issuer, crypto, texts });
  t.teardown(() => app.close());
  const sections = [guardSection({ crypto }), otpSection, sessionsSection, recoverySection];
  const settings = {
    get<T>(member: string): T {
      if (member === 'name') return 'Sallyport' as T;
      const section = sections.find((one) => one.member === member);
      return filled(section?.schema ?? {}, structuredClone(world.written[member])) as T;
    },
  };
  const common = { storage, db: storage.db, crypto, clock, random: systemRandom, log: silent, settings };
  const users = createUsers({ ...common, passwords: createPasswords() });
  const sessions = createSessions({ ...common, audit: createAudit() });
  const devices = createDevices({ ...common, audit: createAudit() });
  const guard = createGuard({
    ...common,
    ask: async (_url, form) => world.captcha(form),
    postLookup: async (_url, body) => world.lookup(body),
  });
  await sql`create table if not exists message_states (reference text primary key, state text not null)`.execute(
    storage.db,
  );
  const messages: NewMessage[] = [];
  const world = {
    outcome: { status: 'accepted', gatewayId: null } as Outcome,
    gateway: Promise.resolve(),
    keeper: null as World['keeper'],
    // What is not about them leaves challenges out.
    written: { guard: { sends: { modes: { 'first-contact': 'record' } } } } as Record<string, unknown>,
    captcha: (_form: URLSearchParams) => '{}',
    lookup: async (_body: string) => ({ status: 503, body: '' }),
  };
  const delivery = fakeDelivery(storage, clock, messages, world);
  const apps = {
    find: async (_db: Db, id: string) => ({ ...appDocument, id }),
    list: async () => [appDocument],
    save: async () => {},
    remove: async () => {},
  };
  const notices: NewNotice[] = [];
  const recovery = createRecovery({
    ...{ ...common, users, guard },
    endAccess: createAccess({ audit: createAudit(), sessions, devices, endGrants }),
    passwordAlone: async () => [],
    notices: {
      reaches: () => true,
      async drafting(_db, _user, notice) {
        return { riders: [], send: () => void notices.push(notice) };
      },
    },
  });
  const flows = createFlows({
    recovery,
    ...common,
    ...{ http, users, apps, guard, delivery, sessions, devices, issuer, audit: createAudit() },
    otp: createOtp({ ...common, delivery }),
  });
  await app.register(flows.plugin);
  const section = flowsSection({ revisions: storage.revisions, random: systemRandom, audit: createAudit() });

  const opened: World = Object.assign(world, {
    ...{ storage, clock, flows, users, sessions, devices, app, messages, notices, guard },
    addUser: (user: NewUser = ada) =>
      users.prepare(user).then((ready) => storage.transaction((tx) => users.create(tx, ready, clock.now()))),
    async publish(next: StepDocument[]) {
      const document = { id: 'main', name: 'Main', steps: next };
      await storage.transaction((tx) =>
        section.save(tx, { raw: document, resolved: document }, 0, clock.now()),
      );
      await storage.revisions.refresh();
    },
    browser: (start: Partial<StartLogin> = {}) => openBrowser(opened, start),
  });
  await opened.publish(steps);
  return opened;
}

/** What became of messages stands in the database, as with the real ones: it is read with the login. */
const setState = (reference: string, state: MessageState): Rider => sql`(
  insert into message_states values (${reference}, ${state})
  on conflict (reference) do update set state = excluded.state)`;

const stateValue: Delivery['stateValue'] = (reference) =>
  sql`(select state from message_states where message_states.reference = ${reference})`;

function fakeDelivery(
  storage: Storage,
  clock: World['clock'],
  messages: NewMessage[],
  gateway: Pick<World, 'outcome' | 'gateway' | 'keeper'>,
): Delivery {
  let follows: OutcomeListener = () => [];
  const draft = (_db: Db, message: NewMessage) => {
    messages.push(message);
    return {
      message: { ...message, id: message.reference },
      riders: [setState(message.reference, 'queued')],
    };
  };
  return {
    has: () => true,
    words: ({ otherwise }) => otherwise,
    draft,
    queue: async (tx, message) => draft(tx, message).message,
    async send(message) {
      const { purpose, reference } = messages.find((one) => one.reference === message.id) as NewMessage;
      await gateway.gateway;
      const { outcome } = gateway;
      const written = follows(storage.db, { id: message.id, reference, purpose }, outcome, clock.now());
      await sendRiders(storage.db, [...written, setState(reference, outcome.status)]);
      return outcome;
    },
    async state(db, reference) {
      const { rows } = await sql<{
        state: MessageState;
      }>`select ${stateValue(sql`${reference}`)} as state`.execute(db);
      return rows[0]?.state ?? null;
    },
    stateValue,
    onOutcome(listener) {
      follows = listener;
    },
    onFollowUp: () => {},
    verifying: () => sql`(select 1)`,
    keepsCodes: () => gateway.keeper !== null,
    keptElsewhere: (reference) => sql`(
      select jsonb_build_object('ours', false, 'by', jsonb_build_array(
        jsonb_build_object('message', ${reference}, 'provider', 'verify', 'sealed', '')))
      where ${gateway.keeper !== null}::boolean and ${reference} in (${sql.join(['', ...messages.map((one) => one.reference)])}))`,
    async checkKept(kept, typed) {
      gateway.keeper?.asked.push(typed);
      const is = gateway.keeper?.answer(typed) ?? 'unchecked';
      return is === 'right' ? { is, message: kept[0]?.message ?? '' } : { is };
    },
    recover: async () => {},
    close: async () => {},
  };
}

export interface Answer {
  status: number;
  body: string;
  location: string | undefined;
  cookies: Record<string, string>;
  headers: Record<string, unknown>;
}

export interface Browser {
  loginId: string;
  cookies: Record<string, string>;
  get(accept?: string): Promise<Answer>;
  /** Posts the page's form; by default the one that is shown now, with its token and version. */
  post(fields: Record<string, string>, from?: Answer): Promise<Answer>;
  /** Posts, and answers the page or address that follows. */
  submit(fields: Record<string, string>): Promise<Answer>;
  json(body?: object, headers?: Record<string, string>): Promise<{ status: number; body: JsonAnswer }>;
  screen(): Promise<Screen>;
}

export interface JsonAnswer {
  screen?: Screen;
  next?: string;
  code?: string;
}

const hidden = (html: string, name: string): string =>
  new RegExp(`name="${name}" value="([^"]*)"`).exec(html)?.[1] ?? '';

async function openBrowser(world: World, start: Partial<StartLogin>): Promise<Browser> {
  const { clock, flows, storage } = world;
  const { loginId, binding } = await flows.start(
    storage.db,
    {
      ...{ app: appDocument, continuationKey: null, session: undefined, fresh: false, maxAgeMs: null },
      ...{ acr: [], loginHint: null, locale: 'en', ip: '127.0.0.1', userAgent: 'test' },
      continuation: { kind: 'oidc', resumeUrl: '/authorize/resume', payload: {} },
      ...start,
    },
    clock.now(),
  );
  return browserOn(world, loginId, { 'sp-login': binding });
}

/** A browser on a login that it has come to, with its cookies. */
export function browserOn({ app }: World, loginId: string, cookies: Record<string, string>): Browser {
  const path = `/login/${loginId}`;
  const call = async (options: { method: 'GET' | 'POST'; payload?: string | object; headers?: object }) => {
    const answer = await app.inject({
      ...{ url: path, cookies, method: options.method },
      headers: { accept: 'text/html', ...options.headers },
      ...(options.payload === undefined ? {} : { payload: options.payload }),
    });
    for (const { name, value } of answer.cookies) cookies[name] = value;
    const { statusCode: status, body, headers } = answer;
    return { status, body, location: headers.location, cookies: { ...cookies }, headers };
  };
  const browser: Browser = {
    ...{ loginId, cookies },
    get: (accept = 'text/html') => call({ method: 'GET', headers: { accept } }),
    async post(fields, from) {
      const page = from ?? (await browser.get());
      const form = { _token: hidden(page.body, '_token'), version: hidden(page.body, 'version'), ...fields };
      const headers = { 'content-type': 'application/x-www-form-urlencoded', origin: issuer.origin };
      return call({ method: 'POST', payload: new URLSearchParams(form).toString(), headers });
    },
    async submit(fields) {
      const answer = await browser.post(fields);
      return answer.status === 303 && answer.location === path ? browser.get() : answer;
    },
    async json(body, headers = {}) {
      const accept = 'application/json';
      const answer = await call(
        body
          ? { method: 'POST', payload: body, headers: { accept, origin: issuer.origin, ...headers } }
          : { method: 'GET', headers: { accept, ...headers } },
      );
      return { status: answer.status, body: JSON.parse(answer.body) as JsonAnswer };
    },
    async screen() {
      const { body } = await browser.json();
      if (!body.screen) throw new Error(`no screen: ${JSON.stringify(body)}`);
      return body.screen;
    },
  };
  return browser;
}

export const heading = ({ body }: Answer): string =>
  /<h1>(.*?)<\/h1>/s.exec(body)?.[1]?.replaceAll('&#x27;', '’') ?? '';

/** The code of the newest message. */
export const newestCode = ({ messages }: World): string => messages.at(-1)?.code ?? '';

/** Events of one login in the order of their writing. */
export const events = async ({ storage }: World, loginId: string): Promise<string[]> => {
  const rows = await storage.db
    .selectFrom('audit_events')
    .select(['name', 'reason'])
    .where('login_id', '=', loginId)
    .orderBy('at')
    .execute();
  return rows.map(({ name, reason }) => (reason ? `${name}:${reason}` : name));
};
