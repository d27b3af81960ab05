/**
 * A real browser for tests: Chromium from npm, driven by playwright-core, one for all tests of a process.
 * It unpacks itself into TMPDIR, which `test/run.js` sets to a folder of the user's own.
 */
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import chromiumPackage from '@sparticuz/chromium';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import type { Test } from 'tap';

const FLAGS = [
  // What stands elsewhere (the script of a captcha) is not found: no test reaches the network. Answering it here instead
  // would lead every request through this process, and turn the browser's cache off.
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1',
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
];
const TIMEOUT_MS = 30_000;

let browser: Promise<Browser> | undefined;

/** The one browser of this process. It ends with it; nothing needs to be closed. */
function theBrowser(): Promise<Browser> {
  browser ??= (async () =>
    chromium.launch({ executablePath: await chromiumPackage.executablePath(), args: FLAGS }))();
  return browser;
}

/** Closes the browser: call it in the teardown of each file that used one, or the file never ends. */
export async function closeBrowser(): Promise<void> {
  await (await browser)?.close();
  browser = undefined;
}

export interface PageOptions {
  /** Default 1280 by 800. */
  viewport?: { width: number; height: number };
  /** Default true. */
  javaScript?: boolean;
  colorScheme?: 'light' | 'dark';
  locale?: string;
  timezoneId?: string;
  /** Pixels of the device for one of CSS; 2 makes sharp pictures. */
  deviceScaleFactor?: number;
  reducedMotion?: 'reduce';
  forcedColors?: 'active';
}

/** Runs `work` with a page of an empty profile; violations of the content security policy fail the test. */
export async function withPage(
  t: Test,
  options: PageOptions,
  work: (page: Page) => Promise<void>,
): Promise<void> {
  const { javaScript = true, viewport = { width: 1280, height: 800 }, ...rest } = options;
  const settings: BrowserContextOptions = { ...rest, javaScriptEnabled: javaScript, viewport };
  const context = await (await theBrowser()).newContext(settings);
  context.setDefaultTimeout(TIMEOUT_MS);
  const page = await context.newPage();
  const violations: string[] = [];
  page.on('console', (message) => {
    if (/content security policy/i.test(message.text())) violations.push(message.text());
  });
  page.on('pageerror', (error) => violations.push(error.message));
  try {
    await work(page);
    t.same(violations, [], 'no script failed, and nothing broke the content security policy');
  } finally {
    await context.close();
  }
}

interface AxeResults {
  violations: { id: string; help: string; nodes: { target: string[]; failureSummary: string }[] }[];
}

/** Its wrapper for playwright would send twice as much to the page, twice at each look. */
let axeSource: string | undefined;
const axe = () => {
  const { resolve } = createRequire(createRequire(import.meta.url).resolve('@axe-core/playwright'));
  axeSource ??= readFileSync(resolve('axe-core/axe.min.js'), 'utf8');
  return axeSource;
};
const axeOptions = {
  resultTypes: ['violations'],
  runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
};

/** Looks for accessibility faults on the page as it is. Only with JavaScript on: axe hangs without. */
export async function expectNoAxeFindings(t: Test, page: Page, name = page.url()): Promise<void> {
  if (await page.evaluate<boolean>('typeof axe === "undefined"')) await page.evaluate(`${axe()};0`);
  // A colour on its way from one to the other is none that anybody reads.
  const { violations, passes } = await page.evaluate<AxeResults & { passes: number }>(`
    for (const one of document.getAnimations()) if (one instanceof CSSTransition) one.finish();
    axe.run(${JSON.stringify(axeOptions)})
      .then(({ violations, passes }) => ({ violations, passes: passes.length }))`);
  const findings = violations.flatMap(({ id, help, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id}: ${help} at ${target.join(' ')}. ${failureSummary}`),
  );
  t.same(findings, [], `no accessibility faults: ${name}`);
  t.ok(passes > 10, `${passes} rules held`);
}

const pictures = process.env.SCREENSHOTS;

/** With SCREENSHOTS in the environment, a picture of the whole page in the folder that it names, for people to look at. */
export async function screenshot(page: Page, name: string): Promise<void> {
  if (!pictures) return;
  mkdirSync(pictures, { recursive: true });
  await page.screenshot({ path: join(pictures, `${name}.png`), fullPage: true });
}
