import Type from 'typebox';
import type { App } from './types.ts';

const link = (description: string) => Type.Optional(Type.String({ description, maxLength: 2000 }));

/** Public clients aside, a secret is kept as a plain SHA-256: only a long random one withstands guessing then. */
export const shortestSecret = 16;

/** One entry of `apps.yaml`. */
export const appSchema = Type.Object(
  {
    id: Type.String({
      description: 'The client_id.',
      pattern: '^[A-Za-z0-9][A-Za-z0-9._~-]{0,99}$',
    }),
    name: Type.String({ description: 'What users read on every page.', minLength: 1, maxLength: 100 }),
    secret: Type.Optional(
      Type.String({
        description: 'Best as a reference. Without it the app is a public client; stored only as a hash.',
      }),
    ),
    previousSecret: Type.Optional(
      Type.String({ description: 'Also accepted, while a new secret is being rolled out.' }),
    ),
    tokenEndpointAuthMethod: Type.Optional(
      Type.Enum(['client_secret_basic', 'client_secret_post', 'none'], {
        description: 'client_secret_basic with a secret, none without.',
      }),
    ),
    redirectUris: Type.Array(Type.String(), {
      description: 'Compared exactly.',
      minItems: 1,
      uniqueItems: true,
    }),
    postLogoutRedirectUris: Type.Array(Type.String(), { default: [], uniqueItems: true }),
    firstParty: Type.Boolean({ description: 'No consent page.', default: false }),
    pkce: Type.Enum(['required', 'optional'], { default: 'required' }),
    grantTypes: Type.Array(Type.Enum(['authorization_code', 'refresh_token']), {
      default: ['authorization_code', 'refresh_token'],
      minItems: 1,
      uniqueItems: true,
    }),
    scopes: Type.Array(Type.String({ pattern: '^[\\x21\\x23-\\x5B\\x5D-\\x7E]+$' }), {
      description: 'What it may ask for.',
      default: ['openid', 'profile', 'email', 'phone', 'offline_access'],
      minItems: 1,
      uniqueItems: true,
    }),
    idTokenSignedResponseAlg: Type.Enum(['ES256', 'RS256'], { default: 'ES256' }),
    flow: Type.String({ description: 'Id of the flow that its users pass.' }),
    loginUrl: link('Login pages of its own, on the same site as the issuer; they receive ?login=<id>.'),
    home: link('Where users start.'),
    logoUrl: link('Shown on every page.'),
    helpContact: Type.Optional(
      Type.String({
        description: 'Whom users ask: an address, a URL or a sentence.',
        minLength: 1,
        maxLength: 200,
      }),
    ),
    privacyUrl: link('Privacy statement.'),
    termsUrl: link('Terms of use.'),
    enabled: Type.Boolean({ default: true }),
  },
  { additionalProperties: false },
);

/** Filled with defaults by the validator. */
export type AppDocument = Type.Static<typeof appSchema>;

/** What is kept in `apps.document`: as written, with no literal secret; and in force, with no secret at all. */
export interface StoredApp {
  written: Record<string, unknown>;
  inForce: Omit<App, 'secretHashes'>;
}

export function inForce(document: AppDocument): StoredApp['inForce'] {
  const { secret, previousSecret, ...rest } = document;
  const isPublic = secret === undefined;
  return {
    ...rest,
    public: isPublic,
    tokenEndpointAuthMethod: document.tokenEndpointAuthMethod ?? (isPublic ? 'none' : 'client_secret_basic'),
    loginUrl: document.loginUrl ?? null,
    home: document.home ?? null,
    logoUrl: document.logoUrl ?? null,
    helpContact: document.helpContact ?? null,
    privacyUrl: document.privacyUrl ?? null,
    termsUrl: document.termsUrl ?? null,
  };
}
