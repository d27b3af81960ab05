import { type ErrorOut, errors, type KoaContextWithOIDC } from 'oidc-provider';
import { startUrlOf } from '../apps/index.ts';
import type { App, Apps } from '../apps/types.ts';
import type { ErrorView, ExpiredView, Http, LogoutView, Page } from '../http/types.ts';
import type { Clock } from '../lib/clock.ts';
import { type Catalogue, type Text, text } from '../lib/texts.ts';
import type { Sessions } from '../sessions/types.ts';
import { isDatabaseUnavailable } from '../storage/index.ts';
import type { Db } from '../storage/types.ts';
import { besideRegistered } from './developers/addresses.ts';
import { createDevicePages } from './devices/pages.ts';
import { texts as deviceTexts } from './devices/texts.ts';
import type { LogoutState } from './types.ts';
import { requestOf, type Units } from './unit.ts';

export const texts: Catalogue = {
  ...deviceTexts,
  'oidc.refused': 'This app cannot sign you in',
  'oidc.refusedSentence':
    'The app sent a request that we cannot answer. Whoever runs the app can put that right.',
  'oidc.unknownApp': 'We do not know this app',
  'oidc.unknownAppSentence':
    'Either the app is not registered here, or it has been switched off. For its developers: check the client_id.',
  'oidc.unknownAddress': 'This app asked us to send you to an unknown address',
  'oidc.unknownAddressSentence':
    'For your safety we did not. For its developers: this redirect_uri is not registered; it has to match to the letter.',
};

export interface PagesDeps {
  db: Db;
  http: Http;
  apps: Apps;
  sessions: Sessions;
  clock: Clock;
  units: Units;
  issuer: URL;
}

interface Refusal {
  heading: Text;
  sentence: Text;
  detail: string | null;
}

/** The pages that the library would draw itself. */
export function createPages({ db, http, apps, sessions, clock, units, issuer }: PagesDeps) {
  async function appOf(context: KoaContextWithOIDC): Promise<App | null> {
    const id = context.oidc.client?.clientId ?? units.current(context).login?.appId;
    return (id !== undefined && (await apps.find(db, id))) || null;
  }

  async function show(context: KoaContextWithOIDC, page: Page, app: App | null): Promise<void> {
    const { params } = context.oidc;
    const preferred = params?.ui_locales;
    const locale = http.locale(requestOf(context), typeof preferred === 'string' ? preferred : null);
    const body = await http.render({ ...page, app, locale });
    // A redirect may have been prepared before something failed.
    context.remove('Location');
    if (page.status !== undefined) context.status = page.status;
    context.type = 'html';
    context.body = body;
  }

  return {
    devicePages: createDevicePages(async (context, page, appId) =>
      show(context, page, (appId !== undefined && (await apps.find(db, appId))) || null),
    ),

    /** An error that must not, or cannot, go back to the app. Says nothing of our insides. */
    async renderError(context: KoaContextWithOIDC, out: ErrorOut, error: unknown): Promise<void> {
      const app = await appOf(context).catch(() => null);
      if (error instanceof errors.SessionNotFound) {
        const data: ExpiredView = { startUrl: app ? startUrlOf(app, issuer) : null };
        return show(context, { view: 'login/expired', title: text('expired.title'), status: 410, data }, app);
      }
      const unavailable = isDatabaseUnavailable(error);
      if (unavailable) context.set('Retry-After', '5');
      const refusal = unavailable ? unavailableNow : refusalOf(context, app, out, error);
      const href = app && startUrlOf(app, issuer);
      const back = href ? { href, label: text('expired.startAgain') } : null;
      const data: ErrorView = { ...refusal, reference: requestOf(context).id, back };
      const page: Page = { view: 'error', title: refusal.heading, error: true, data };
      await show(context, unavailable ? { ...page, status: 503 } : page, app);
    },

    /** Asks before logging out: any page on the web can send a browser here. */
    async logoutSource(context: KoaContextWithOIDC): Promise<void> {
      const { session } = context.oidc;
      const data: LogoutView = {
        actionUrl: '/session/end/confirm',
        xsrf: (session?.state as LogoutState | undefined)?.secret ?? '',
      };
      await show(context, { view: 'oidc/logout', title: text('logout.title'), data }, await appOf(context));
    },

    /** The library comes here after either answer, without a word of which: the session tells. */
    async postLogoutSuccessSource(context: KoaContextWithOIDC): Promise<void> {
      const cookie = http.cookies.get(requestOf(context), 'sp-session', 'host');
      const session = cookie && (await sessions.findByCookie(db, cookie, clock.now()));
      const page = afterLogout(session ? 'stayed' : 'done');
      await show(context, page, await appOf(context));
    },
  };
}

const afterLogout = (key: 'stayed' | 'done'): Page => ({
  view: 'oidc/logged-out',
  title: text(`logout.${key}Title`),
  data: { heading: text(`logout.${key}`) },
});

const unavailableNow: Refusal = {
  heading: text('error.unavailable'),
  sentence: text('problem.unavailable'),
  detail: null,
};

function refusalOf(context: KoaContextWithOIDC, app: App | null, out: ErrorOut, error: unknown): Refusal {
  const sent = (name: string): string | null => {
    const value = context.oidc.params?.[name] ?? context.query[name];
    return typeof value === 'string' ? value : null;
  };
  const addressesOf = (name: string, registered: string[] = []): string =>
    besideRegistered(name, sent(name) ?? '', registered);
  if (error instanceof errors.InvalidRedirectUri) {
    return {
      heading: text('oidc.unknownAddress'),
      sentence: text('oidc.unknownAddressSentence'),
      detail: addressesOf('redirect_uri', app?.redirectUris),
    };
  }
  if (error instanceof errors.InvalidClient) {
    return {
      heading: text('oidc.unknownApp'),
      sentence: text('oidc.unknownAppSentence'),
      detail: sent('client_id'),
    };
  }
  const { route } = context.oidc;
  const leaving = sent('post_logout_redirect_uri');
  if (route === 'end_session' && leaving !== null && app && !app.postLogoutRedirectUris.includes(leaving)) {
    return {
      heading: text('oidc.refused'),
      sentence: text('oidc.refusedSentence'),
      detail: addressesOf('post_logout_redirect_uri', app.postLogoutRedirectUris),
    };
  }
  if (out.error === 'server_error') {
    return { heading: text('error.heading'), sentence: text('problem.internal'), detail: null };
  }
  return {
    heading: text('oidc.refused'),
    sentence: text('oidc.refusedSentence'),
    detail: [out.error, out.error_description].filter(Boolean).join(': '),
  };
}
