import { type Client, errors, interactionPolicy, type KoaContextWithOIDC } from 'oidc-provider';
import type { Apps } from '../apps/types.ts';
import type { Flows } from '../flows/types.ts';
import type { Clock } from '../lib/clock.ts';
import { oldestFactorMs } from '../sessions/index.ts';
import type { Db } from '../storage/types.ts';
import type { User } from '../users/types.ts';
import type { OwnMembers } from './adapters/clients.ts';
import { demandsOf, essentialAcr } from './requests.ts';
import { requestOf, type Units } from './unit.ts';

const { Check, base } = interactionPolicy;

export interface PolicyDeps {
  db: Db;
  clock: Clock;
  apps: Apps;
  flows: Flows;
  units: Units;
  findUser(id: string): Promise<User | undefined>;
  /** Who a user is to an app; throws AccessDenied when that cannot be said. */
  subjectOf(appId: string, userId: string): Promise<string>;
}

const isFirstParty = (client: Client | undefined): boolean =>
  (client as OwnMembers | undefined)?.first_party === true;

/** When someone has to log in, and when to be asked for consent. */
export function createPolicy(deps: PolicyDeps): interactionPolicy.DefaultPolicy {
  const policy = base();
  const login = policy.get('login');
  const consent = policy.get('consent');
  if (!login || !consent) throw new Error('the library has changed its prompts');

  // What the library would ask for again and again is decided below, together with the app's flow.
  login.checks.remove('essential_acrs');
  login.checks.remove('essential_acr');
  login.checks.add(
    new Check('session_not_enough', 'the session does not satisfy the app', 'login_required', (context) =>
      loginIsDue(deps, context),
    ),
  );

  consent.checks.add(
    new Check('no_subject', 'the app cannot know this account', 'access_denied', async ({ oidc }) => {
      const { client, session } = oidc;
      if (client && session?.accountId) await deps.subjectOf(client.clientId, session.accountId);
      return false;
    }),
  );

  // Apps of the operator's own ask nobody, whatever `prompt` says.
  consent.checks.remove('consent_prompt');
  consent.checks.remove('native_client_prompt');
  consent.checks.add(
    new Check('consent_prompt', 'consent prompt was not resolved', 'consent_required', (context) => {
      const { oidc } = context;
      return !isFirstParty(oidc.client) && oidc.prompts.has('consent') && oidc.promptPending('consent');
    }),
  );
  consent.checks.add(
    new Check(
      'native_client_prompt',
      'native clients require End-User interaction',
      'interaction_required',
      ({ oidc }) =>
        // Another program may have taken the app's address for itself (RFC 8252, section 8.6).
        !isFirstParty(oidc.client) &&
        oidc.client?.applicationType === 'native' &&
        oidc.result?.consent === undefined,
    ),
  );
  return policy;
}

/** The library asks whether there is a session; this asks whether it is enough for the app's flow, here and now. */
async function loginIsDue(deps: PolicyDeps, context: KoaContextWithOIDC): Promise<boolean> {
  const { oidc } = context;
  const { session, client, result, params = {} } = oidc;
  if (!session?.accountId) return false;
  const isUnmet = () => essentialAcr(oidc.claims)?.includes(oidc.acr ?? '') === false;
  const user = await deps.findUser(session.accountId);
  if (result?.login) {
    // A login was just made for this request: asking once more would never end. The write that hands out the code
    // makes sure that its session still stands.
    if (!user) throw new errors.AccessDenied('this account cannot be used');
    if (isUnmet()) throw new errors.UnmetAuthenticationRequirements('the acr asked for could not be reached');
    return false;
  }
  const { browser } = deps.units.current();
  const app = await deps.apps.find(deps.db, client?.clientId ?? '');
  if (!user || !browser || !app) return true;
  const now = deps.clock.now();
  const demands = demandsOf(params);
  // What the app takes for too old is not told to it either: the time of the last factor would vouch for all of them.
  const oldest =
    oldestFactorMs(browser.session, app.sessions, demands.maxAgeMs, now) ?? Number.POSITIVE_INFINITY;
  const young = browser.session.factors.filter(({ at }) => now.getTime() - at <= oldest);
  Object.assign(session, deps.flows.describe(young));
  if (isUnmet()) return true;
  const sender = deps.flows.browser(requestOf(context));
  const request = { session: browser.session, user, app, browser: sender, ...demands };
  return !(await deps.flows.satisfies(deps.db, request, now));
}
