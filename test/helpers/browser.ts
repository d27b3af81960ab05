/**
 * A real browser for tests: Chromium from npm, driven by playwright-core, one for all tests of a process.
 * It unpacks itself into TMPDIR, which `test/run.js` sets to a folder of the user's own.
 */
import { mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import AxeBuilder from '@axe-core/playwright';
import chromiumPackage from '@sparticuz/chromium';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import type { Test } from 'tap';

const FLAGS = [
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
  // What stands elsewhere (the script of a captcha) is answered here, with nothing: no test reaches the network.
  await context.route(/^https:/, (route) => route.fulfill({ body: '', contentType: 'text/javascript' }));
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

/** Looks for accessibility faults on the page as it is. Only with JavaScript on: axe hangs without. */
export async function expectNoAxeFindings(t: Test, page: Page, name = page.url()): Promise<void> {
  const { violations } = await new AxeBuilder({ page })
    // No page here has frames: one run in the page itself is enough, and quicker.
    .setLegacyMode()
    .options({ resultTypes: ['violations'] })
    .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'])
    .analyze();
  const findings = violations.flatMap(({ id, help, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id}: ${help} at ${target.join(' ')}. ${failureSummary}`),
  );
  t.same(findings, [], `no accessibility faults: ${name}`);
}

/** Writes a picture of the whole page to a temporary folder, for people to look at. Answers where. */
export async function screenshot(page: Page, name: string): Promise<string> {
  const folder = join(tmpdir(), 'screenshots');
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `${name}.png`);
  await page.screenshot({ path, fullPage: true });
  return path;
}
