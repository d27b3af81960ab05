import type Provider from 'oidc-provider';
import { errors } from 'oidc-provider';
import type { Apps } from '../../apps/types.ts';
import { sha256 } from '../../crypto/index.ts';
import { after, type Clock } from '../../lib/clock.ts';
import { newId } from '../../lib/ids.ts';
import type { Logger } from '../../lib/log.ts';
import { createTicker, type Ticker } from '../../lib/ticker.ts';
import type { EndedSession } from '../../sessions/types.ts';
import type { Db, Tx } from '../../storage/types.ts';
import { claimNotices, deleteNotice, insertNotices, type Notice, postponeNotice } from './store.ts';

const event = 'http://schemas.openid.net/event/backchannel-logout';

/** Sends a form where an app has said, within its time and the rules for addresses; answers the HTTP status. */
export type SendForm = (
  url: URL,
  form: URLSearchParams,
  options: { allowPrivateNetwork: boolean },
) => Promise<number>;

export interface BackChannelDeps {
  db: Db;
  clock: Clock;
  apps: Apps;
  log: Logger;
  sendForm: SendForm;
  provider(): Provider;
  /** Between two looks for notices that are due; default two seconds. */
  lookEveryMs?: number;
}

const batch = 20;
/** Longer than telling an app may take. Who has taken a notice and died has it taken again after this time. */
const heldMs = 60_000;
/** After so long an app that did not take a notice is told again; after the last one nobody tries any more. */
const waitsMs = [2_000, 10_000, 60_000, 300_000, 900_000];

/**
 * OpenID Connect Back-Channel Logout: however a session is ended, each app that has signed its user in with it is told.
 * What this answers writes the notices, in the transaction that ends the sessions; it needs no running gateway.
 */
export function createLogoutNotices({ apps, clock }: { apps: Apps; clock: Clock }) {
  return async (tx: Tx, sessions: EndedSession[]): Promise<void> => {
    const notices: Notice[] = [];
    for (const session of sessions) {
      for (const [appId, sid] of Object.entries(session.apps)) {
        const app = await apps.find(tx, appId);
        if (!app?.backchannelLogoutUri) continue;
        const names = { app_id: appId, user_id: session.userId, sid: sid ?? session.id };
        notices.push({ id: newId('lgn'), ...names, tries: 0, next_at: clock.now() });
      }
    }
    await insertNotices(tx, notices);
  };
}

/** Takes notices that are due to their apps, beside whoever else does on the same database. */
export function createBackChannel(deps: BackChannelDeps): Ticker {
  const { db, clock, log, lookEveryMs = 2_000 } = deps;
  let more = false;
  return createTicker(
    async () => {
      more = false;
      try {
        const now = clock.now();
        const notices = await claimNotices(db, batch, now, after(now, heldMs));
        await Promise.all(notices.map((notice) => deliver(deps, notice)));
        more = notices.length === batch;
      } catch (err) {
        log.warn({ err }, 'apps not told of logouts; trying again');
      }
    },
    () => (more ? 0 : lookEveryMs),
  );
}

async function deliver(deps: BackChannelDeps, notice: Notice): Promise<void> {
  const { db, clock, log } = deps;
  const { id, app_id: app, tries } = notice;
  try {
    await tell(deps, notice);
  } catch (err) {
    const waitMs = waitsMs[tries - 1];
    log.warn({ err, app, tries, waitMs: waitMs ?? null }, 'an app was not told of a logout');
    if (waitMs !== undefined) return postponeNotice(db, id, after(clock.now(), waitMs));
  }
  await deleteNotice(db, id);
}

async function tell(deps: BackChannelDeps, { app_id: appId, user_id: userId, sid }: Notice): Promise<void> {
  const app = await deps.apps.find(deps.db, appId);
  if (!app?.enabled || app.backchannelLogoutUri === null) return;
  const token = await logoutToken(deps, appId, userId, sid);
  if (token === undefined) return;
  const { allowPrivateNetwork } = app;
  const form = new URLSearchParams({ logout_token: token });
  const status = await deps.sendForm(new URL(app.backchannelLogoutUri), form, { allowPrivateNetwork });
  if (status !== 200 && status !== 204)
    throw new Error(`${appId} answered ${status} to the notice of a logout`);
  deps.log.info({ app: appId }, 'app told of a logout');
}

/** Nothing when the account has gone meanwhile, or has lost what the app knew it by: nobody is left to name. */
async function logoutToken(
  { provider }: BackChannelDeps,
  appId: string,
  userId: string,
  sid: string,
): Promise<string | undefined> {
  const { Client, IdToken } = provider();
  const client = await Client.find(appId);
  if (!client) return undefined;
  const token = new IdToken({ sub: userId }, { client });
  Object.assign(token, { mask: { sub: null } });
  token.set('events', { [event]: {} });
  token.set('jti', newId('lgt'));
  token.set('sid', sid);
  try {
    return await token.issue({ use: 'logout' });
  } catch (error) {
    if (error instanceof errors.AccessDenied) return undefined;
    throw error;
  }
}

/**
 * The `sid` that an app gets: our id of the session, except where apps must not learn that they have the same user.
 * The library would tell apps itself, once and while the person waits: that is left to {@link createLogoutNotices}.
 */
export function nameSessions(provider: Provider, isPairwise: (client: object | undefined) => boolean): void {
  Object.assign(provider.Session.prototype, {
    ensureClientContainer(
      this: { uid: string; sidFor(id: string, sid?: string): string | undefined },
      id: string,
    ) {
      const client = (provider.constructor as typeof Provider).ctx?.oidc.client;
      const sid = isPairwise(client) ? sha256(`sid ${this.uid} ${id}`) : this.uid;
      if (this.sidFor(id) !== sid) this.sidFor(id, sid);
    },
  });
  Object.assign(provider.Client.prototype, { backchannelLogout: async () => undefined });
}
