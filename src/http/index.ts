/**
 * The web server's foundation: a Fastify with limits, safe headers, cookies and forms; hosted pages and the
 * language they speak; the way every failure is answered.
 *
 * Owns: everything in `views/` that belongs to no feature (layout, partials, assets, locales, error and home page,
 * the screen of a login step, consent and logout), the cookie names, the form token.
 * Does not own: sessions (it knows none), any feature's routes, health checks.
 *
 * Routes: `GET /` says what this is; `GET /assets/:file` serves the style sheet and scripts.
 */
export { createLocales } from './locales.ts';
export { createHttp, type HttpDeps } from './service.ts';
export { texts } from './texts.ts';
