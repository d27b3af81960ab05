import { setTimeout as delay } from 'node:timers/promises';
import * as client from 'openid-client';
import { type BrowserPage, createBrowser, type SmsGateway } from '../../src/demo/index.ts';
import { codeIn, type TestApp } from '../helpers/relying-party.ts';

export interface Person {
  username: string;
  password: string;
  phone: string;
}

/** People with a number of their own (Ofcom keeps these for drama). At most 100. */
export const people = (count: number): Person[] =>
  Array.from({ length: count }, (_, index) => ({
    username: `person${index}`,
    password: `quiet lantern number ${index}`,
    phone: `+4477009002${String(index).padStart(2, '0')}`,
  }));

/** What people met on their way. */
export interface Journal {
  logins: number;
  /** How often they were asked to come back (503), and did. */
  askedBack: number;
  /** Sign-ins that were over when somebody came back to them, as asked. */
  begunAnew: number;
  faults: string[];
}

export const emptyJournal = (): Journal => ({ logins: 0, askedBack: 0, begunAnew: 0, faults: [] });

const mostSteps = 200;
const comeBackMs = 100;
/** A little longer than the wait before the next code, where there is one. */
const resendMs = 1_100;

/**
 * A whole login, by a person who comes back when asked to (503) and reads on each page what it wants next. `extra` are
 * parameters of the request. Answers the tokens; throws at any other answer that is no page of a login.
 */
export async function logIn(
  app: TestApp,
  sms: SmsGateway,
  person: Person,
  journal: Journal,
  extra: Record<string, string> = {},
): Promise<Awaited<ReturnType<TestApp['exchange']>>> {
  const browser = createBrowser();
  const attempt = await app.begin(extra);
  let page: BrowserPage = await browser.open(attempt.url, app.isCallback);
  for (let step = 0; step < mostSteps && !app.isCallback(page.url); step += 1) {
    if (page.status === 503) {
      journal.askedBack += 1;
      await delay(comeBackMs);
      page = await browser.open(page.url, app.isCallback);
      if (page.status !== 410) continue;
      journal.begunAnew += 1;
      return logIn(app, sms, person, journal, extra);
    } else if (page.html.includes('name="password"')) {
      const { username, password } = person;
      page = await browser.submit(page, { username, password }, app.isCallback);
    } else if (page.html.includes('name="code"')) {
      const last = sms.received.findLast(({ text, to }) => to === person.phone && /#\S+$/.test(text));
      // A message may have been lost with the database: who is told that a code is wrong asks for another one.
      const wrong = page.html.includes('aria-invalid="true"');
      if (wrong || !last) await delay(resendMs);
      const fields = wrong || !last ? { action: 'resend' } : { code: codeIn(last.text) };
      page = await browser.submit(page, fields, app.isCallback);
    } else {
      throw new Error(`${page.url.pathname} answers ${page.status}: ${page.html.slice(0, 2_000)}`);
    }
  }
  if (!app.isCallback(page.url)) throw new Error(`no end of the login in sight, at ${page.url.pathname}`);
  const tokens = await exchange(app, attempt, page.url, journal);
  journal.logins += 1;
  return tokens;
}

async function exchange(
  app: TestApp,
  attempt: Awaited<ReturnType<TestApp['begin']>>,
  callback: URL,
  journal: Journal,
): ReturnType<TestApp['exchange']> {
  for (let tries = 0; ; tries += 1) {
    try {
      return await app.exchange(attempt, callback);
    } catch (error) {
      const unavailable =
        (error instanceof client.ResponseBodyError && error.status === 503) ||
        (error instanceof Error && (error.cause as Response | undefined)?.status === 503);
      if (!unavailable || tries > mostSteps) throw error;
      journal.askedBack += 1;
      await delay(comeBackMs);
    }
  }
}

/** Everybody does `work` again and again until `until` says so. Faults are collected, not thrown. */
export async function keepBusy(
  persons: Person[],
  journal: Journal,
  until: () => boolean,
  work: (person: Person) => Promise<unknown>,
): Promise<void> {
  await Promise.all(
    persons.map(async (person) => {
      while (!until()) {
        try {
          await work(person);
        } catch (error) {
          const { message, cause } = error as Error;
          journal.faults.push(`${message} ${cause === undefined ? '' : String(cause)}`);
          await delay(comeBackMs);
        }
      }
    }),
  );
}
