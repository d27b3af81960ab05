import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import type { Crypto } from '../crypto/types.ts';
import type { Logger } from '../lib/log.ts';
import type { Catalogue } from '../lib/texts.ts';
import { createAssets } from './assets.ts';
import { createCookies } from './cookies.ts';
import { handleErrors } from './errors.ts';
import { createForms } from './forms.ts';
import { createLocales } from './locales.ts';
import { createPages } from './pages.ts';
import { createCountry } from './proxies/country.ts';
import { homeRoute } from './routes.ts';
import { createServer } from './server.ts';
import { texts as ownTexts } from './texts.ts';
import type { Http } from './types.ts';

export interface HttpDeps {
  issuer: URL;
  crypto: Crypto;
  log: Logger;
  /** English texts of every feature. */
  texts: Catalogue;
  /** Addresses or CIDR ranges whose `X-Forwarded-*` headers are believed. */
  trustedProxies: string[];
  /** Name of the header in which those proxies say where a request comes from, as configured now; null: none. */
  countryHeader?: () => string | null;
  /** How long a handler may take; default 25 s. */
  handlerTimeoutMs?: number;
  /** Adds hooks that come before all others. */
  hooks?: ((app: FastifyInstance) => void) | undefined;
  /** The gateway's name, as configured now. */
  name: () => string;
  /** Whether people can look after their account here, as configured now. Default: not. */
  hasAccount?: () => boolean;
  /** Whom people ask where no app says so, as configured now. Default: nobody. */
  helpContact?: () => string | null;
  viewsDir: string;
  /** True for errors that mean that the database cannot be reached; they are answered with 503. */
  isUnavailable: (error: unknown) => boolean;
}

/**
 * The server that features mount their routes on, and what they need to answer people. `checkTemplates` throws when
 * one is faulty; it takes a while, so it is called when the server listens.
 */
export async function createHttp(
  deps: HttpDeps,
): Promise<{ app: FastifyInstance; http: Http; checkTemplates(): Promise<void> }> {
  const english: Catalogue = { ...ownTexts, ...deps.texts };
  const locales = createLocales(english, join(deps.viewsDir, 'locales'));
  const assets = createAssets(join(deps.viewsDir, 'assets'));
  const app = await createServer(deps);
  const { helpContact = () => null, name, viewsDir } = deps;
  const pages = await createPages({ app, viewsDir, locales, assets, name, helpContact });
  const http: Http = {
    render: pages.render,
    async page(request, reply, page) {
      const html = await pages.render({ ...page, locale: page.locale ?? http.locale(request) });
      return reply
        .code(page.status ?? 200)
        .header('cache-control', 'no-store')
        .type('text/html; charset=utf-8')
        .send(html);
    },
    locale: (request, preferred) => locales.negotiate(preferred, request.headers['accept-language']),
    translate: locales.translate,
    cookies: createCookies(deps.issuer),
    forms: createForms(deps.issuer, deps.crypto),
    country: createCountry({ ...deps, header: deps.countryHeader ?? (() => null) }),
    wantsJson: ({ headers: { accept = '' } }) =>
      accept.includes('application/json') && !accept.includes('text/html'),
  };
  handleErrors(app, { http, english, isUnavailable: deps.isUnavailable });
  await assets.register(app);
  homeRoute(app, http, deps.hasAccount ?? (() => false));
  return { app, http, checkTemplates: pages.check };
}
