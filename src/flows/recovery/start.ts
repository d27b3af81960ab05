import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Settings } from '../../config/types.ts';
import type { Delivery } from '../../delivery/types.ts';
import type { Http } from '../../http/types.ts';
import type { Storage } from '../../storage/types.ts';
import { bindingCookie } from '../access.ts';
import type { FlowDocument } from '../documents/schema.ts';
import type { Opened } from '../logins/opened.ts';
import type { LoginsDeps } from '../logins/submit.ts';
import type { Flows } from '../types.ts';
import { recoveryFlow, recoveryFlowId } from './flow.ts';
import type { RecoveryChannel, RecoveryDocument } from './settings.ts';

/** The channels by which forgotten passwords are replaced at this moment; none: they are not. */
export function recoveryChannels(settings: Settings, delivery: Pick<Delivery, 'has'>): RecoveryChannel[] {
  const { channels, enabled } = settings.get<RecoveryDocument>('recovery');
  return enabled ? channels.filter((channel) => delivery.has(channel)) : [];
}

/** The flow that such a run takes at this moment. */
export const presentRecovery = (
  settings: Settings,
  delivery: Pick<Delivery, 'has'>,
): FlowDocument | undefined => recoveryFlow(recoveryFlowId(recoveryChannels(settings, delivery)));

/** What the login's page looks like from outside: the application's own, or ours. */
function pageOf({ app, row }: Opened): string {
  if (app.loginUrl === null) return `/login/${row.id}`;
  const url = new URL(app.loginUrl);
  url.searchParams.set('login', row.id);
  return url.href;
}

interface StartDeps {
  storage: Storage;
  http: Http;
  logins: LoginsDeps;
  start: Flows['start'];
  browser: Flows['browser'];
}

/**
 * “Forgot password?”: a run of its own, from which one comes back to this login. Nothing of the browser's session counts
 * in it, and the login itself goes no further by it. Answers where to.
 */
export async function startRecovery(
  { browser, http, logins, start, storage }: StartDeps,
  opened: Opened,
  request: FastifyRequest,
  reply: FastifyReply,
  now: Date,
): Promise<string> {
  const { app, row } = opened;
  const flow = recoveryFlowId(logins.recoveryChannels());
  const hint = row.state.subject?.name ?? row.state.hint;
  const { binding, loginId, path } = await start(
    storage.db,
    {
      ...browser(request),
      app: { ...app, flow },
      continuation: { kind: 'recovery', path: pageOf(opened), login: row.id },
      ...{ continuationKey: null, session: undefined, fresh: true, maxAgeMs: null, acr: [] },
      loginHint: hint === null ? null : logins.services.crypto.open('identifier', hint, row.id),
      locale: row.locale,
    },
    now,
  );
  http.cookies.set(reply, bindingCookie, binding, { path });
  return pageOf({ ...opened, row: { ...row, id: loginId } });
}
