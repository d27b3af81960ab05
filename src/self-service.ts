import type { FastifyPluginAsync } from 'fastify';
import {
  type AccountDeps,
  type AccountDocument,
  accountApp,
  accountFlow,
  accountFlowId,
  accountId,
  texts as accountTexts,
  createAccount,
} from './account/index.ts';
import type { App } from './apps/types.ts';
import type { LiveSettings } from './config/index.ts';
import type { Configuration, Settings } from './config/types.ts';
import { texts as deliveryTexts, enabledChannels } from './delivery/index.ts';
import type { Delivery } from './delivery/types.ts';
import {
  createAuthenticators,
  createFlowDesk,
  type FlowDesk,
  type FlowDeskDeps,
  type FlowDocument,
  texts as flowsTexts,
  type OwnPages,
  presentRecovery,
} from './flows/index.ts';
import type { Http } from './http/types.ts';
import type { Catalogue } from './lib/texts.ts';
import { createNotices, type NoticesDeps, texts as noticeTexts } from './notices/index.ts';
import type { Notices } from './notices/types.ts';
import { endTokens, texts as oidcTexts } from './oidc/index.ts';
import { texts as peopleTexts } from './people/index.ts';
import { texts as usersTexts } from './users/index.ts';

/** English texts of every feature but http, which has its own. */
export const featureTexts: Catalogue = {
  ...deliveryTexts,
  ...flowsTexts,
  ...oidcTexts,
  ...usersTexts,
  ...noticeTexts,
  ...accountTexts,
  ...peopleTexts,
};

interface BuiltInDeps {
  issuer: URL;
  settings: Settings;
}

/** The gateway's own pages as apps: logins to them are logins like any other. */
export const builtInApps =
  (deps: BuiltInDeps) =>
  (id: string): App | undefined =>
    id === accountId ? accountApp(deps) : undefined;

/** What they ask for where no flow is named. */
export const builtInFlows =
  (delivery: Pick<Delivery, 'has'>) =>
  (id: string): FlowDocument | undefined =>
    accountFlow(id, delivery.has('sms'));

/** Flows as people look after them, with those that are built in. Nothing has to run for it. */
export const createFlowDeskOf = ({
  configuration: { advise, check },
  settings,
  ...parts
}: Omit<FlowDeskDeps, 'advise' | 'check' | 'ownPages'> & {
  configuration: Configuration;
  settings: LiveSettings;
}): FlowDesk =>
  createFlowDesk({
    ...{ ...parts, advise, check },
    ownPages: async () => {
      const [channels] = await Promise.all([enabledChannels(parts.storage.db), settings.load()]);
      return ownPages(settings, { has: (channel: string) => channels.has(channel) });
    },
  });

function ownPages(settings: Settings, delivery: Pick<Delivery, 'has'>): OwnPages {
  const { enabled, flow } = settings.get<AccountDocument>('account');
  const account = accountFlow(accountFlowId, delivery.has('sms'));
  const recovery = presentRecovery(settings, delivery);
  return {
    flows: [
      ...(account ? [{ document: account, about: accountAbout }] : []),
      ...(recovery ? [{ document: recovery, about: recoveryAbout }] : []),
    ],
    apps: enabled ? [{ id: accountId, flow: flow || accountFlowId }] : [],
  };
}

const accountAbout =
  'what /account asks for where account.flow of gateway.yaml names no flow of your own; copy it under another id to change it';
const recoveryAbout =
  'what replaces a forgotten password; recovery in gateway.yaml says whether and by which channels';

export const hasAccount = ({ settings }: Pick<BuiltInDeps, 'settings'>): boolean =>
  settings.get<AccountDocument>('account').enabled;

/** Whom people ask where an app names nobody. */
export const helpContactOf = ({ settings }: Pick<BuiltInDeps, 'settings'>): string | null =>
  settings.get<AccountDocument>('account').helpContact || null;

/** Messages about what has happened to an account. */
export const createNoticesOf = (
  deps: Omit<NoticesDeps, 'gateway' | 'translate'> & { http: Http; settings: Settings },
): Notices =>
  createNotices({
    ...deps,
    translate: deps.http.translate,
    gateway: () => deps.settings.get<string>('name'),
  });

/** Pages on which people look after their account. */
export function createSelfService(deps: Omit<AccountDeps, 'authenticators' | 'endTokens'>): {
  plugin: FastifyPluginAsync;
} {
  const gateway = () => deps.settings.get<string>('name');
  return createAccount({ ...deps, endTokens, authenticators: createAuthenticators({ ...deps, gateway }) });
}
