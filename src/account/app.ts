import type { App } from '../apps/types.ts';
import type { Settings } from '../config/types.ts';
import type { FlowDocument } from '../flows/index.ts';
import type { AccountDocument } from './settings.ts';

export const accountId = 'account';

/** No file can give a flow this id. */
export const accountFlowId = '@account';

export interface BuiltInDeps {
  issuer: URL;
  settings: Settings;
}

/** These pages as the app whose users sign in to them. Nobody gets tokens for it. */
export function accountApp({ issuer, settings }: BuiltInDeps): App {
  const { enabled, flow, helpContact } = settings.get<AccountDocument>('account');
  return {
    ...{ id: accountId, name: settings.get<string>('name'), enabled, firstParty: true },
    ...{ public: false, secretHashes: [], tokenEndpointAuthMethod: 'none', jwks: null, jwksUri: null },
    ...{ redirectUris: [], postLogoutRedirectUris: [], pkce: 'required', grantTypes: [], responseModes: [] },
    ...{ requirePushedAuthorizationRequests: true, dpopBoundAccessTokens: true, resources: [], scopes: [] },
    ...{ idTokenSignedResponseAlg: 'ES256', flow: flow || accountFlowId, loginUrl: null, logoUrl: null },
    ...{ home: new URL('/account', issuer).href, helpContact: helpContact || null },
    ...{ privacyUrl: null, termsUrl: null, subjectType: 'public', subjectClaim: null, claims: {} },
    ...{ initiateLoginUri: null, backchannelLogoutUri: null, allowPrivateNetwork: false, deviceFlow: false },
  };
}

/** Asks for whatever second factor people have. */
export function accountFlow(id: string, hasSms: boolean): FlowDocument | undefined {
  if (id !== accountFlowId) return undefined;
  const second = [...(hasSms ? ['sms-otp'] : []), 'totp', 'backup-code'];
  return {
    id,
    name: 'Account',
    steps: [
      { id: 'password', options: ['password'] },
      { id: 'second', options: second, userMayDisable: true, onUnavailable: 'skip' },
    ],
  };
}
