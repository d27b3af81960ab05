import { durationPattern } from '../../lib/duration.ts';
import { type Static, Type } from '../../lib/schema.ts';
import { AuthOptions } from '../auth/options.ts';
import { ReceiptsOptions } from '../receipts/options.ts';

const closed = { additionalProperties: false };
const Scalar = Type.Unsafe<string | number | boolean | null>({
  type: ['string', 'number', 'boolean', 'null'],
});

const StatusList = Type.Array(
  Type.Unsafe<number | string>({
    type: ['integer', 'string'],
    minimum: 100,
    maximum: 599,
    pattern: '^[1-5][0-9][0-9](-[1-5][0-9][0-9])?$',
  }),
  { minItems: 1, description: 'Statuses and ranges: [200, "201-204"]' },
);

/** What a value is compared with: exactly one of the members beside `pointer` or `name`. */
const comparison = {
  equals: Type.Optional(Scalar),
  in: Type.Optional(Type.Array(Scalar, { minItems: 1 })),
  exists: Type.Optional(Type.Boolean()),
};

const BodyAssertion = Type.Object(
  {
    pointer: Type.Optional(
      Type.String({ pattern: '^(/.*)?$', description: 'JSON Pointer (RFC 6901) into the answer' }),
    ),
    ...comparison,
    matches: Type.Optional(Type.String({ description: 'Regular expression (RE2) that the body must hold' })),
  },
  closed,
);

const HeaderAssertion = Type.Object(
  {
    name: Type.String({ minLength: 1 }),
    ...comparison,
    matches: Type.Optional(Type.String({ description: 'Regular expression (RE2) that the value must hold' })),
  },
  closed,
);

const Condition = {
  status: Type.Optional(StatusList),
  body: Type.Optional(BodyAssertion),
  header: Type.Optional(HeaderAssertion),
};

const Extraction = Type.Object(
  {
    pointer: Type.Optional(Type.String({ pattern: '^(/.*)?$' })),
    header: Type.Optional(Type.String({ minLength: 1 })),
    matches: Type.Optional(
      Type.String({ description: 'Regular expression (RE2); its first group is the id' }),
    ),
  },
  {
    ...closed,
    minProperties: 1,
    maxProperties: 1,
    description: 'Where the gateway’s id of the message stands',
  },
);

export const HttpOptions = Type.Object(
  {
    method: Type.Optional(Type.String({ description: 'GET, POST, PUT or PATCH; POST by default' })),
    url: Type.String({
      minLength: 1,
      description: 'Template; $ctx.num, $ctx.msg and the others are filled in',
    }),
    headers: Type.Optional(
      Type.Unsafe<string | Record<string, string | number | boolean>>({
        type: ['object', 'string'],
        additionalProperties: { type: ['string', 'number', 'boolean'] },
        description: 'A map of templates, or one string: Name: value, Name2: value2',
      }),
    ),
    contentType: Type.Optional(Type.Enum(['JSON', 'FORM', 'XML', 'TEXT'])),
    payload: Type.Optional(Type.String({ description: 'Template of the body' })),
    auth: Type.Optional(AuthOptions),
    success: Type.Optional(
      Type.Object(Condition, {
        ...closed,
        description: 'When the gateway took the message; status 200, 201 or 202 by default',
      }),
    ),
    messageId: Type.Optional(Extraction),
    outcomes: Type.Optional(
      Type.Array(
        Type.Object(
          {
            ...Condition,
            outcome: Type.Enum(['accepted', 'rejected', 'unavailable', 'unknown']),
          },
          closed,
        ),
        { description: 'What other answers mean; the first that fits counts, before success is looked at' },
      ),
    ),
    timeout: Type.Optional(
      Type.String({ pattern: durationPattern, description: 'For the whole exchange; 10s by default' }),
    ),
    allowPrivateNetwork: Type.Optional(
      Type.Boolean({ description: 'The gateway stands in a private network' }),
    ),
    receipts: Type.Optional(ReceiptsOptions),
    proxy: Type.Optional(
      Type.String({ description: 'HTTP proxy; its own rules replace the check of addresses' }),
    ),
  },
  closed,
);

export type HttpDocument = Static<typeof HttpOptions>;
export type ConditionDocument = Pick<NonNullable<HttpDocument['success']>, 'status' | 'body' | 'header'>;
export type ExtractionDocument = NonNullable<HttpDocument['messageId']>;
