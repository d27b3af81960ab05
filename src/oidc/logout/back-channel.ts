import type Provider from 'oidc-provider';
import { errors } from 'oidc-provider';
import type { Apps } from '../../apps/types.ts';
import { sha256 } from '../../crypto/index.ts';
import { newId } from '../../lib/ids.ts';
import type { Logger } from '../../lib/log.ts';
import type { EndedSession } from '../../sessions/types.ts';
import type { Db, Jobs, Tx } from '../../storage/types.ts';

const queue = 'backchannel-logout';
const event = 'http://schemas.openid.net/event/backchannel-logout';

/** Sends a form where an app has said, within its time and the rules for addresses; answers the HTTP status. */
export type SendForm = (
  url: URL,
  form: URLSearchParams,
  options: { allowPrivateNetwork: boolean },
) => Promise<number>;

export interface BackChannelDeps {
  db: Db;
  jobs: Jobs;
  apps: Apps;
  log: Logger;
  send: SendForm;
  provider(): Provider;
}

/** One app to be told of the end of one session. */
interface Notice {
  appId: string;
  userId: string;
  sid: string;
}

/**
 * OpenID Connect Back-Channel Logout: however a session is ended, each app that has signed its user in with it is told.
 * A notice is written with the end of the session and is tried again until the app has taken it, or five times.
 */
export function createBackChannel(deps: BackChannelDeps) {
  deps.jobs.define(queue, (data) => tell(deps, data as Notice));

  return async (tx: Tx, sessions: EndedSession[]): Promise<void> => {
    for (const { id, userId, apps } of sessions) {
      for (const [appId, sid] of Object.entries(apps)) {
        const app = await deps.apps.find(tx, appId);
        if (!app?.backchannelLogoutUri) continue;
        const notice: Notice = { appId, userId, sid: sid ?? id };
        await deps.jobs.add(tx, queue, notice);
      }
    }
  };
}

async function tell(deps: BackChannelDeps, { appId, userId, sid }: Notice): Promise<void> {
  const app = await deps.apps.find(deps.db, appId);
  if (!app?.enabled || app.backchannelLogoutUri === null) return;
  const token = await logoutToken(deps, appId, userId, sid);
  if (token === undefined) return;
  const { allowPrivateNetwork } = app;
  const form = new URLSearchParams({ logout_token: token });
  const status = await deps.send(new URL(app.backchannelLogoutUri), form, { allowPrivateNetwork });
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
 * The library would tell apps itself, once and while the person waits: that is left to {@link createBackChannel}.
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
