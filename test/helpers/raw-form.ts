import type { Browser, BrowserPage } from '../../src/demo/index.ts';

export interface RawAnswer {
  status: number;
  /** Where the answer sends the browser, or null. */
  location: URL | null;
}

/** Submits the page's form without following where it leads: for many at the same moment. */
export async function rawPost(
  browser: Browser,
  page: BrowserPage,
  values: Record<string, string>,
): Promise<RawAnswer> {
  const answer = await browser.submit(page, values, () => true);
  const redirected = answer.status >= 300 && answer.status < 400;
  return { status: answer.status, location: redirected ? answer.url : null };
}
