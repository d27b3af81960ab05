/** People who look after their account with a browser without scripts. */
import { setTimeout as delay } from 'node:timers/promises';
import { sql } from 'kysely';
import type { Test } from 'tap';
import { listSimulated } from '../../src/delivery/simulator/store.ts';
import { type Browser, type BrowserPage, createBrowser, startSmsGateway } from '../../src/demo/index.ts';
import type { User } from '../../src/users/types.ts';
import { type Files, generousGuard, standard, startGateway } from '../helpers/gateway.ts';
import { nextCode } from '../helpers/relying-party.ts';

export interface Account {
  username: string;
  password: string;
  phone?: string;
}

/** A gateway with mails on the simulator and messages at `sms`. */
export async function openAccounts(
  t: Test,
  databaseUrl: string | null,
  files: Partial<Files> = {},
  logTo?: (line: string) => void,
) {
  const sms = await startSmsGateway();
  t.teardown(() => sms.close());
  const gateway = await startGateway(t, {
    databaseUrl,
    ...(logTo && { logTo }),
    files: {
      gateway: { name: 'Sallyport', guard: generousGuard },
      providers: [
        ...standard(sms.url).providers,
        { id: 'mail', channel: 'email', preset: 'simulator', simulator: {} },
      ],
      ...files,
    },
  });
  const { clock, crypto, storage, users } = gateway.running.context;
  const { db } = storage;
  const at = (path: string) => new URL(path, gateway.issuer);
  const code = async (phone: string) => await nextCode(sms, phone);

  /** Signs in and opens a page, all by /account itself. */
  async function enter(path: string, { password, phone, username }: Account, browser = createBrowser()) {
    const login = await browser.open(at(path));
    const next = await browser.submit(login, { username, password });
    const page =
      phone !== undefined && next.url.pathname.startsWith('/login/')
        ? await browser.submit(next, { code: await code(phone) })
        : next;
    return { browser, page };
  }

  return {
    ...{ gateway: { ...gateway, sms }, sms, db, at, code, enter, users: gateway.running.context.users },
    userOf: async (username: string): Promise<User> =>
      (await users.findByIdentifier(db, username)) ?? Promise.reject(new Error(username)),
    /** Whether so many mails with such a subject have come. They go out beside the answer, so it waits for a moment. */
    async mailed(to: string, subject: RegExp, count = 1): Promise<boolean> {
      for (let waits = 0; waits < 60; waits += 1) {
        const mails = await listSimulated(db, crypto, null, clock.now());
        const fitting = mails.filter((mail) => mail.to === to && subject.test(mail.subject ?? ''));
        if (fitting.length >= count) return fitting.length === count;
        await delay(50);
      }
      return false;
    },
    events: async (subject: string): Promise<string[]> => {
      const { rows } = await sql<{ name: string }>`select name from audit_events
        where subject = ${subject} order by at, id`.execute(db);
      return rows.map(({ name }) => name);
    },
    /** As if so many minutes had passed since the factors of all sessions. */
    age: (minutes: number) =>
      sql`update sessions set factors = (select jsonb_agg(jsonb_set(f, '{at}',
        to_jsonb((f ->> 'at')::bigint - ${minutes * 60_000}::bigint))) from jsonb_array_elements(factors) f)`.execute(
        db,
      ),
  };
}

/** Submits the form of the page that posts to this path. */
export function press(
  browser: Browser,
  page: BrowserPage,
  path: string | RegExp,
  values: Record<string, string> = {},
): Promise<BrowserPage> {
  const forms = page.html.match(/<form\b[\s\S]*?<\/form>/g) ?? [];
  const fits = (action: string) => (typeof path === 'string' ? action === path : path.test(action));
  const html = forms.find((form) => fits(/action="([^"]*)"/.exec(form)?.[1] ?? ''));
  if (html === undefined) throw new Error(`no form for ${path} on ${page.url.pathname}: ${words(page)}`);
  return browser.submit({ ...page, html }, values);
}

/** What people read, without tags. */
export const words = ({ html }: BrowserPage): string =>
  html
    .replace(/^[\s\S]*?<main/, '<main')
    .replace(/<[^>]*>/g, ' ')
    .replace(/&#x27;|&#39;/g, '’')
    .replace(/\s+/g, ' ');

/** The key that the page shows for typing. */
export const secretIn = ({ html }: BrowserPage): string =>
  (/<code>([A-Z2-7 ]+)<\/code>/.exec(html)?.[1] ?? '').replaceAll(' ', '');
