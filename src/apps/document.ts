import { type Static, Type } from '../lib/schema.ts';
import { apiSchema } from './apis.ts';
import { limitsSchema } from './limits.ts';
import type { App } from './types.ts';

const link = (description: string) => Type.Optional(Type.String({ description, maxLength: 2000 }));

/** Public clients aside, a secret is kept as a plain SHA-256: only a long random one withstands guessing then. */
export const shortestSecret = 16;

/** What a claim of an app may be taken from. */
const claimSource =
  '^(id|username|name|email|email_verified|phone|phone_verified|groups|attributes\\.[A-Za-z0-9_-]{1,64})$';

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
      Type.Enum(['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'], {
        description:
          'Default: client_secret_basic with a secret, private_key_jwt with keys, none without either.',
      }),
    ),
    jwks: Type.Optional(
      Type.Object(
        { keys: Type.Array(Type.Record(Type.String(), Type.Unknown()), { minItems: 1, maxItems: 10 }) },
        {
          description: 'Its public keys, for private_key_jwt and signed requests. Either these or jwksUri.',
          additionalProperties: false,
        },
      ),
    ),
    jwksUri: link('Where its public keys are fetched from; only an address of the public internet.'),
    redirectUris: Type.Array(Type.String(), {
      description: 'Compared exactly.',
      default: [],
      uniqueItems: true,
    }),
    postLogoutRedirectUris: Type.Array(Type.String(), { default: [], uniqueItems: true }),
    firstParty: Type.Boolean({ description: 'No consent page.', default: false }),
    pkce: Type.Enum(['required', 'optional'], { default: 'required' }),
    grantTypes: Type.Array(Type.Enum(['authorization_code', 'refresh_token', 'client_credentials']), {
      description: 'client_credentials: tokens for the app itself, without a user.',
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
    responseModes: Type.Array(Type.Enum(['query', 'fragment', 'form_post']), {
      description: 'How it may ask to be given the answer.',
      default: ['query', 'fragment', 'form_post'],
      minItems: 1,
      uniqueItems: true,
    }),
    requirePushedAuthorizationRequests: Type.Boolean({
      description: 'Take its sign-in requests from /request only (RFC 9126).',
      default: false,
    }),
    dpopBoundAccessTokens: Type.Boolean({
      description: 'Give it only tokens that are bound to a key of its own (RFC 9449).',
      default: false,
    }),
    resources: Type.Array(apiSchema, {
      description: 'APIs for which it may get access tokens (RFC 8707).',
      default: [],
      maxItems: 50,
    }),
    idTokenSignedResponseAlg: Type.Enum(['ES256', 'RS256'], { default: 'ES256' }),
    flow: Type.Optional(
      Type.String({ description: 'Id of the flow that its users pass. Not for an app without users.' }),
    ),
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
    subjectType: Type.Enum(['public', 'pairwise'], {
      description: 'pairwise: its users get identifiers that no other host can be matched with.',
      default: 'public',
    }),
    subjectClaim: Type.Optional(
      Type.Enum(['preferred_username', 'email', 'phone_number'], {
        description: 'What stands in sub instead. An address or number has to be verified to count.',
      }),
    ),
    claims: Type.Record(
      Type.String({ pattern: '^[A-Za-z0-9_.:/-]{1,100}$' }),
      Type.String({ pattern: claimSource }),
      {
        description:
          'Further claims in ID token and userinfo, each with its source: a member of the user, or attributes.<name>.',
        default: {},
      },
    ),
    initiateLoginUri: link('Where the app starts a sign-in by itself; expired pages lead there with ?iss=.'),
    backchannelLogoutUri: link('Gets a logout token when a session of its users ends.'),
    allowPrivateNetwork: Type.Boolean({
      description: 'backchannelLogoutUri may stand in a private network.',
      default: false,
    }),
    deviceFlow: Type.Boolean({
      description: 'Devices without a browser may ask for a sign-in that is confirmed elsewhere (RFC 8628).',
      default: false,
    }),
    sessions: Type.Optional(limitsSchema),
    enabled: Type.Boolean({ default: true }),
  },
  { additionalProperties: false },
);

/** Filled with defaults by the validator. */
export type AppDocument = Static<typeof appSchema>;

/** What is kept in `apps.document`: as written, with no literal secret; and in force, with no secret at all. */
export interface StoredApp {
  written: Record<string, unknown>;
  inForce: Omit<App, 'secretHashes'>;
}

/** How an app proves itself that does not say it. */
export function authMethodOf(document: AppDocument): App['tokenEndpointAuthMethod'] {
  if (document.tokenEndpointAuthMethod !== undefined) return document.tokenEndpointAuthMethod;
  if (document.secret !== undefined) return 'client_secret_basic';
  return document.jwks === undefined && document.jwksUri === undefined ? 'none' : 'private_key_jwt';
}

/** What holds for apps that were saved before these members were known. */
export const laterMembers = {
  jwks: null,
  jwksUri: null,
  responseModes: ['query', 'fragment', 'form_post'],
  requirePushedAuthorizationRequests: false,
  dpopBoundAccessTokens: false,
  resources: [],
  subjectType: 'public',
  subjectClaim: null,
  claims: {},
  initiateLoginUri: null,
  backchannelLogoutUri: null,
  allowPrivateNetwork: false,
  deviceFlow: false,
} satisfies Partial<App>;

export function inForce(document: AppDocument): StoredApp['inForce'] {
  const { secret, previousSecret, ...rest } = document;
  const tokenEndpointAuthMethod = authMethodOf(document);
  return {
    ...rest,
    public: tokenEndpointAuthMethod === 'none',
    tokenEndpointAuthMethod,
    jwks: document.jwks ?? null,
    jwksUri: document.jwksUri ?? null,
    resources: document.resources.map((api) => ({ ...api, client: api.client ?? null })),
    flow: document.flow ?? '',
    loginUrl: document.loginUrl ?? null,
    home: document.home ?? null,
    logoUrl: document.logoUrl ?? null,
    helpContact: document.helpContact ?? null,
    privacyUrl: document.privacyUrl ?? null,
    termsUrl: document.termsUrl ?? null,
    subjectClaim: document.subjectClaim ?? null,
    initiateLoginUri: document.initiateLoginUri ?? null,
    backchannelLogoutUri: document.backchannelLogoutUri ?? null,
  };
}
