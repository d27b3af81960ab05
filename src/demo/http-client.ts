/** A page as a browser without scripts holds it. */
export interface BrowserPage {
  url: URL;
  status: number;
  html: string;
}

/**
 * A browser reduced to what the hosted pages need: cookies per host and path, redirects, forms.
 * It is what shows that a login needs no script, in `demo --once` and in tests.
 */
export interface Browser {
  /** Opens the address and follows redirects, at most ten; stops before an address that `until` accepts. */
  open(url: string | URL, until?: (url: URL) => boolean): Promise<BrowserPage>;
  /** Submits the page's form with these values over the hidden ones. */
  submit(
    page: BrowserPage,
    values: Record<string, string>,
    until?: (url: URL) => boolean,
  ): Promise<BrowserPage>;
  /** The value of a cookie, for tests that look at them. */
  cookie(name: string): string | undefined;
}

interface Cookie {
  name: string;
  value: string;
  host: string;
  path: string;
}

const unescapeHtml = (value: string): string =>
  value
    .replace(/&#x([0-9a-f]+);/gi, (_, hex: string) => String.fromCodePoint(Number.parseInt(hex, 16)))
    .replace(/&quot;/g, '"')
    .replace(/&lt;/g, '<')
    .replace(/&gt;/g, '>')
    .replace(/&amp;/g, '&');

const attribute = (tag: string, name: string): string | undefined => {
  const value = new RegExp(`\\s${name}="([^"]*)"`).exec(tag)?.[1];
  return value === undefined ? undefined : unescapeHtml(value);
};

function formOf(page: BrowserPage): { action: URL; hidden: URLSearchParams } {
  const form = /<form\b[^>]*method="post"[^>]*>[\s\S]*?<\/form>/i.exec(page.html)?.[0];
  if (form === undefined) throw new Error(`No form on ${page.url.pathname} (status ${page.status})`);
  const hidden = new URLSearchParams();
  for (const [tag] of form.matchAll(/<input\b[^>]*>/g)) {
    const name = attribute(tag, 'name');
    if (name !== undefined && attribute(tag, 'type') === 'hidden')
      hidden.set(name, attribute(tag, 'value') ?? '');
  }
  const opening = /<form\b[^>]*>/.exec(form)?.[0] ?? '';
  return { action: new URL(attribute(opening, 'action') ?? page.url.href, page.url), hidden };
}

function jar() {
  const cookies: Cookie[] = [];
  const remove = (cookie: Cookie) => {
    const at = cookies.findIndex(
      (c) => c.name === cookie.name && c.host === cookie.host && c.path === cookie.path,
    );
    if (at >= 0) cookies.splice(at, 1);
  };
  return {
    cookies,
    store(url: URL, header: string): void {
      const [pair = '', ...flags] = header.split(';').map((part) => part.trim());
      const [name = '', ...rest] = pair.split('=');
      const flag = (wanted: string) =>
        flags.find((f) => f.toLowerCase().startsWith(`${wanted}=`))?.slice(wanted.length + 1);
      const cookie = { name, value: rest.join('='), host: url.hostname, path: flag('path') ?? '/' };
      remove(cookie);
      // A gateway clears a cookie by a moment in 1970 or by a life of zero.
      const gone = flag('max-age') === '0' || flag('expires')?.includes('1970') === true;
      if (!gone) cookies.push(cookie);
    },
    header(url: URL): string {
      const fits = ({ host, path }: Cookie) =>
        host === url.hostname &&
        (path === '/' || url.pathname === path || url.pathname.startsWith(`${path}/`));
      return cookies
        .filter(fits)
        .map(({ name, value }) => `${name}=${value}`)
        .join('; ');
    },
  };
}

/** `route` says where a request for an address really goes, as a load balancer or proxy decides; default: there. */
export function createBrowser(route: (url: URL) => URL = (url) => url): Browser {
  const cookies = jar();

  async function request(url: URL, body: URLSearchParams | null, origin: string | null): Promise<Response> {
    const headers: Record<string, string> = { accept: 'text/html', cookie: cookies.header(url) };
    if (origin !== null) headers.origin = origin;
    const response = await fetch(route(url), {
      method: body === null ? 'GET' : 'POST',
      body,
      headers,
      redirect: 'manual',
    });
    for (const line of response.headers.getSetCookie()) cookies.store(url, line);
    return response;
  }

  async function follow(
    start: URL,
    body: URLSearchParams | null,
    origin: string | null,
    until: (url: URL) => boolean,
  ) {
    let url = start;
    let response = await request(url, body, origin);
    for (let hops = 0; response.status >= 300 && response.status < 400; hops += 1) {
      if (hops === 10) throw new Error(`Too many redirects, the last one to ${url.origin}${url.pathname}`);
      await response.body?.cancel();
      url = new URL(response.headers.get('location') ?? '', url);
      if (until(url)) return { url, status: response.status, html: '' };
      response = await request(url, null, null);
    }
    return { url, status: response.status, html: await response.text() };
  }

  return {
    open: (url, until = () => false) => follow(new URL(url), null, null, until),
    submit(page, values, until = () => false) {
      const { action, hidden } = formOf(page);
      for (const [name, value] of Object.entries(values)) hidden.set(name, value);
      return follow(action, hidden, page.url.origin, until);
    },
    cookie: (name) => cookies.cookies.find((cookie) => cookie.name === name)?.value,
  };
}
