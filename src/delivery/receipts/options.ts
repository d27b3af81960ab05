import { type Static, Type } from '../../lib/schema.ts';

const closed = { additionalProperties: false };

const Place = (description: string) =>
  Type.String({
    minLength: 1,
    description: `${description}: a JSON Pointer (/status) or the name of a field (status)`,
  });

const Words = Type.Array(Type.Unsafe<string | number>({ type: ['string', 'integer'] }), { minItems: 1 });

const Signature = Type.Object(
  {
    secret: Type.String({ pattern: '^\\w+$', description: 'Name of a member of secrets' }),
    header: Type.String({ minLength: 1, description: 'Header in which the proof stands' }),
    over: Type.Optional(
      Type.Enum(['body'], {
        description: 'An HMAC of the body; without it the header holds the secret itself',
      }),
    ),
    algorithm: Type.Optional(Type.Enum(['sha256', 'sha512', 'sha1'], { default: 'sha256' })),
    encoding: Type.Optional(Type.Enum(['hex', 'base64'], { default: 'hex' })),
    prefix: Type.Optional(Type.String({ description: 'What stands before it: sha256=' })),
  },
  { ...closed, description: 'How the gateway proves itself; else by the address of $ctx.callback alone' },
);

/** What a gateway reports to `$ctx.callback`, or to `/receipts/<provider>`. */
export const ReceiptsOptions = Type.Object(
  {
    signature: Type.Optional(Signature),
    id: Type.Optional(Place('The gateway’s id of the message')),
    message: Type.Optional(Place('Our id of the message, $ctx.id')),
    state: Place('What became of it'),
    states: Type.Object(
      {
        sent: Type.Optional(Words),
        delivered: Type.Optional(Words),
        failed: Type.Optional(Words),
        read: Type.Optional(Words),
      },
      { ...closed, minProperties: 1, description: 'The gateway’s words for it; others are passed over' },
    ),
    failure: Type.Optional(Place('Why it failed')),
    failures: Type.Optional(
      Type.Object(
        {
          number: Type.Optional(Words),
          blocked: Type.Optional(Words),
          unreachable: Type.Optional(Words),
          gateway: Type.Optional(Words),
        },
        {
          ...closed,
          description: 'The gateway’s words for the reasons; any other is taken for its own fault',
        },
      ),
    ),
    replies: Type.Optional(
      Type.Object(
        { from: Place('The number'), text: Place('What it says') },
        {
          ...closed,
          description: 'Messages from people, to /inbound/<provider>; believed only with a signature',
        },
      ),
    ),
  },
  { ...closed, description: 'What the gateway reports afterwards' },
);

export type ReceiptsDocument = Static<typeof ReceiptsOptions>;
