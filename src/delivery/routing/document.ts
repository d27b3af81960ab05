import { durationPattern } from '../../lib/duration.ts';
import { type Static, Type } from '../../lib/schema.ts';

const closed = { additionalProperties: false };

/** A provider, or several that share the traffic by weight: who loses the draw is asked after who wins it. */
const Entry = Type.Union([
  Type.String({ minLength: 1 }),
  Type.Object(
    {
      split: Type.Unsafe<Record<string, number>>({
        type: 'object',
        minProperties: 2,
        additionalProperties: { type: 'integer', minimum: 1, maximum: 1_000 },
        description: 'Weights by provider: { main: 80, spare: 20 }',
      }),
    },
    closed,
  ),
]);

const Entries = (description: string) => Type.Array(Entry, { minItems: 1, description });

const Route = Type.Object(
  {
    countries: Type.Optional(
      Type.Array(Type.String({ pattern: '^[A-Z]{2}$', examples: ['DE'] }), {
        minItems: 1,
        description: 'ISO 3166 codes of the country that the number belongs to',
      }),
    ),
    prefixes: Type.Optional(
      Type.Array(Type.String({ pattern: '^\\+[1-9][0-9]{0,14}$', examples: ['+4474'] }), {
        minItems: 1,
        description: 'What the number begins with, in international form and in quotes: "+4474"',
      }),
    ),
    apps: Type.Optional(
      Type.Array(Type.String({ minLength: 1 }), { minItems: 1, description: 'Ids of apps' }),
    ),
    providers: Entries('Who is asked for such a message, and nobody else'),
  },
  closed,
);

const FollowUp = Type.Object(
  {
    after: Type.Optional(
      Type.String({
        pattern: durationPattern,
        default: '30s',
        description: 'How long the message before has; on a report that it failed, the next goes out at once',
      }),
    ),
    unless: Type.Optional(
      Type.Enum(['delivered', 'read'], {
        default: 'delivered',
        description: 'The report by which the message before is enough',
      }),
    ),
    channel: Type.Optional(
      Type.Enum(['sms', 'voice'], {
        description: 'By which the same code goes out again; the same channel by default',
      }),
    ),
    providers: Type.Optional(Entries('Who is asked; as the channel says by default')),
  },
  closed,
);

/** One channel of `channels.yaml`. */
export const ChannelSchema = Type.Object(
  {
    id: Type.Enum(['sms', 'voice', 'email']),
    providers: Type.Optional(Entries('Who is asked, in this order; as in providers.yaml by default')),
    routes: Type.Optional(
      Type.Array(Route, {
        description: 'The first route that fits in all that it says is taken instead of providers',
      }),
    ),
    workflow: Type.Optional(
      Type.Array(FollowUp, { maxItems: 3, description: 'What follows when a message does not arrive' }),
    ),
  },
  closed,
);

export type ChannelDocument = Static<typeof ChannelSchema>;
export type EntryDocument = Static<typeof Entry>;
export type FollowUpDocument = Static<typeof FollowUp>;

/** Every provider that the entries name. */
export const namesIn = (entries: readonly EntryDocument[]): string[] =>
  entries.flatMap((entry) => (typeof entry === 'string' ? [entry] : Object.keys(entry.split)));
