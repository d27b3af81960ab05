import type { FastifyPluginAsync } from 'fastify';
import {
  type AccountDeps,
  type AccountDocument,
  accountApp,
  accountFlow,
  accountId,
  texts as accountTexts,
  createAccount,
} from './account/index.ts';
import type { App } from './apps/types.ts';
import type { Settings } from './config/types.ts';
import { texts as deliveryTexts } from './delivery/index.ts';
import type { Delivery } from './delivery/types.ts';
import { createAuthenticators, type FlowDocument, texts as flowsTexts } from './flows/index.ts';
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

export const hasAccount = ({ settings }: Pick<BuiltInDeps, 'settings'>): boolean =>
  settings.get<AccountDocument>('account').enabled;

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
