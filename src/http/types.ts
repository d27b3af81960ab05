import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Text } from '../lib/texts.ts';

/** What every page may show around its content. */
export interface PageApp {
  name: string;
  logoUrl: string | null;
  home: string | null;
  helpContact: string | null;
  privacyUrl: string | null;
  termsUrl: string | null;
}

export interface Page {
  /** Template below `views/`, without the ending: `login/step`. */
  view: string;
  /** Document title; the app's or the gateway's name is appended. */
  title: Text;
  /** The page reports a failed try: the document title then begins with “Error:”. */
  error?: boolean;
  status?: number;
  app?: PageApp | null;
  /** BCP 47 tag; default from the request. */
  locale?: string;
  /** What the template shows. {@link Text} values are translated there by the helper `{{t …}}`. */
  data: object;
}

/** Cookie names and flags by the issuer's scheme: `__Host-`/`__Secure-` and Secure on https, plain on http loopback. */
export interface Cookies {
  /** `host`: path `/`; `path`: for one path. */
  name(base: string, scope: 'host' | 'path'): string;
  set(reply: FastifyReply, base: string, value: string, options: { path?: string; maxAgeMs?: number }): void;
  get(request: FastifyRequest, base: string, scope: 'host' | 'path'): string | undefined;
  clear(reply: FastifyReply, base: string, options: { path?: string }): void;
}

/** Forms' safety: a stateless token over the browser binding or session, beside an Origin / Sec-Fetch-Site check. */
export interface Forms {
  token(binding: string): string;
  /** Throws Problem 403 unless the request comes from our own page and carries the token in `_token`. */
  check(request: FastifyRequest, binding: string): void;
}

/** What `views/error.hbs` shows. */
export interface ErrorView {
  heading: Text;
  sentence: Text;
  /** For developers, as it is: the redirect address that is not registered. */
  detail: string | null;
  /** What people may quote to whoever helps them: the request's id. */
  reference: string | null;
  /** The way out. */
  back: { href: string; label: Text } | null;
}

/** What `views/login/expired.hbs` shows. */
export interface ExpiredView {
  /** Where the login can be started again: the app's home. */
  startUrl: string | null;
  /** It was finished before, and somebody came back to its page. */
  done?: boolean;
}

/** What `views/oidc/consent.hbs` shows. Its form posts `_token` and `action` (`allow` or `deny`). */
export interface ConsentView {
  actionUrl: string;
  formToken: string;
  /** The name of the person who is asked. */
  user: string;
  /** What the app would get, one sentence each; `consent.scope.<scope>` for the standard ones. */
  scopes: Text[];
}

/** What `views/oidc/logout.hbs` shows. Its form posts `xsrf`, and `logout=yes` when the person agrees. */
export interface LogoutView {
  actionUrl: string;
  xsrf: string;
}

/** What `views/oidc/device.hbs` shows. Its form posts `xsrf` and `user_code`. */
export interface DeviceView {
  actionUrl: string;
  xsrf: string;
  /** What stands in the field. */
  code: string;
  fault: Text | null;
}

/** What `views/oidc/device-confirm.hbs` shows. Its form posts `xsrf`, `user_code`, and `confirm` or `abort`. */
export interface DeviceConfirmView {
  actionUrl: string;
  xsrf: string;
  code: string;
  appName: string;
  /** Where the device is and what it says it is; null where that is not known. */
  address: string | null;
  userAgent: string | null;
}

export interface Http {
  page(request: FastifyRequest, reply: FastifyReply, page: Page): Promise<FastifyReply>;
  /** The same page as a string, for callers that answer through something else than Fastify. */
  render(page: Page & { locale: string }): Promise<string>;
  /** The reader's language: `ui_locales` of the login, else Accept-Language, else English. */
  locale(request: FastifyRequest, preferred?: string | null): string;
  translate(locale: string, text: Text): string;
  cookies: Cookies;
  forms: Forms;
  /** Where the request comes from (ISO 3166, such as `DE`), as a trusted proxy says; null: not known. */
  country(request: FastifyRequest): string | null;
  /** True when the caller asked for JSON. */
  wantsJson(request: FastifyRequest): boolean;
}
