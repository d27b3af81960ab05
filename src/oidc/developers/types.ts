import type { App } from '../../apps/types.ts';

/** An app as its developers have to know it. Never a secret. */
export interface AppFacts {
  issuer: string;
  app: Pick<
    App,
    | 'id'
    | 'public'
    | 'tokenEndpointAuthMethod'
    | 'pkce'
    | 'idTokenSignedResponseAlg'
    | 'redirectUris'
    | 'scopes'
  >;
  redirectUri: string;
  /** With blanks between. */
  scope: string;
}

/** Settings for one library, ready to be copied; one file each. */
export interface Library {
  name: string;
  /** How the app may prove itself for this library to be of use. */
  speaks: readonly App['tokenEndpointAuthMethod'][];
  settings(facts: AppFacts): string;
  /** What the app's entry has to say otherwise for this library, as `member: value  # why`. */
  needs?(app: AppFacts['app']): string[];
}
