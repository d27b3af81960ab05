import { durationPattern } from '../../lib/duration.ts';
import { type Static, Type } from '../../lib/schema.ts';

const closed = { additionalProperties: false };
const text = (description: string) => Type.String({ minLength: 1, description });

const Basic = Type.Object({ username: Type.String(), password: Type.String() }, closed);

const Bearer = Type.Object({ token: text('Sent as Authorization: Bearer …') }, closed);

const ApiKey = Type.Object(
  { header: text('Name of the header'), value: text('The key, with whatever stands before it') },
  closed,
);

const OAuth2 = Type.Object(
  {
    tokenUrl: text('Where tokens come from; secrets given for it are void for any other host'),
    clientId: text('client_id'),
    clientSecret: text('client_secret'),
    scope: Type.Optional(text('What is asked for')),
    credentials: Type.Optional(
      Type.Enum(['header', 'body'], {
        description: 'How the client shows who it is: by Basic authorization (default), or in the form',
      }),
    ),
  },
  { ...closed, description: 'Client credentials (RFC 6749, section 4.4)' },
);

const Jwt = Type.Object(
  {
    algorithm: Type.Enum(['RS256', 'ES256']),
    privateKey: text('PEM; PKCS #8, PKCS #1 or SEC 1'),
    keyId: Type.Optional(text('kid of the header')),
    claims: Type.Optional(
      Type.Unsafe<Record<string, string | number | boolean>>({
        type: 'object',
        additionalProperties: { type: ['string', 'number', 'boolean'] },
        description: 'Texts are templates; iat, exp and jti are added',
      }),
    ),
    lifetime: Type.Optional(Type.String({ pattern: durationPattern, description: '5m by default' })),
  },
  { ...closed, description: 'A token that is signed for each message, sent as Authorization: Bearer …' },
);

const Hmac = Type.Object(
  {
    secret: text('Key of HMAC-SHA-256 over the body'),
    header: text('Name of the header'),
    value: Type.Optional(
      Type.String({
        pattern: '\\{signature\\}',
        description: 'With {signature} in it, which it is by default',
      }),
    ),
    encoding: Type.Optional(Type.Enum(['hex', 'base64'], { description: 'hex by default' })),
  },
  closed,
);

/** How a gateway learns who is asking, where a header of one's own is not enough. */
export const AuthOptions = Type.Object(
  {
    basic: Type.Optional(Basic),
    bearer: Type.Optional(Bearer),
    apiKey: Type.Optional(ApiKey),
    oauth2: Type.Optional(OAuth2),
    jwt: Type.Optional(Jwt),
    hmac: Type.Optional(Hmac),
  },
  { ...closed, minProperties: 1, maxProperties: 1, description: 'Exactly one of its members' },
);

export type AuthDocument = Static<typeof AuthOptions>;
export type OAuth2Document = Static<typeof OAuth2>;
export type JwtDocument = Static<typeof Jwt>;
export type HmacDocument = Static<typeof Hmac>;

/** Members whose literal value is a secret. */
export const secretMembers: readonly [method: keyof AuthDocument, member: string][] = [
  ['basic', 'password'],
  ['bearer', 'token'],
  ['apiKey', 'value'],
  ['oauth2', 'clientSecret'],
  ['jwt', 'privateKey'],
  ['hmac', 'secret'],
];
