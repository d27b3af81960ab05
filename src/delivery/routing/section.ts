import { isDeepStrictEqual } from 'node:util';
import type { Candidate, CollectionSection } from '../../config/types.ts';
import { durationFault } from '../../lib/duration.ts';
import { getCountries } from '../../lib/phone-numbers.ts';
import type { Fault } from '../../lib/problem.ts';
import { closest } from '../../lib/suggest.ts';
import type { Revisions } from '../../storage/types.ts';
import { type ChannelDocument, ChannelSchema, type EntryDocument, namesIn } from './document.ts';
import { deleteChannel, findChannel, listChannels, upsertChannel } from './store.ts';

/** `channels.yaml`: in which order, and for which messages, providers are asked; and what follows when nothing arrives. */
export const channelsSection = ({
  revisions,
}: {
  revisions: Pick<Revisions, 'bump'>;
}): CollectionSection => ({
  kind: 'collection',
  member: 'channels',
  schema: ChannelSchema,
  idOf: (item) => String(item.id),
  check: ({ resolved }, candidate) => faultsOf(resolved as unknown as ChannelDocument, candidate),

  async list(db) {
    return new Map((await listChannels(db)).map(({ id, document }) => [id, document.raw]));
  },

  async same(db, { raw, resolved }) {
    const stored = await findChannel(db, String(resolved.id));
    return isDeepStrictEqual(stored?.document, JSON.parse(JSON.stringify({ raw, resolved })));
  },

  async save(tx, { raw, resolved }, _position, now) {
    const document = { raw, resolved: resolved as unknown as ChannelDocument };
    await upsertChannel(tx, String(resolved.id), document, now);
    await revisions.bump(tx, 'providers');
  },

  async remove(tx, id) {
    await deleteChannel(tx, id);
    await revisions.bump(tx, 'providers');
  },
});

/** What the schema cannot say. */
function faultsOf(document: ChannelDocument, candidate: Candidate): Fault[] {
  const { id, providers, routes = [], workflow = [] } = document;
  const unknown = (entries: readonly EntryDocument[] | undefined, channel: string, path: string) =>
    unknownProviders(entries ?? [], channel, path, candidate);
  return [
    ...unknown(providers, id, 'providers'),
    ...routes.flatMap((route, index) => [
      ...unknown(route.providers, id, `routes[${index}].providers`),
      ...routeFaults(route, id, `routes[${index}]`, candidate),
    ]),
    ...workflow.flatMap(({ after = '30s', channel = id, providers: given }, index) => [
      ...unknown(given, channel, `workflow[${index}].providers`),
      ...(id === 'email' ? [{ path: 'workflow', message: 'is for messages to phone numbers' }] : []),
      ...(channel === id && given === undefined
        ? [{ path: `workflow[${index}]`, message: 'needs another channel, or providers' }]
        : []),
      ...[durationFault(`workflow[${index}].after`, after, '5s', '10m')].filter((fault) => fault !== null),
    ]),
  ];
}

function unknownProviders(
  entries: readonly EntryDocument[],
  channel: string,
  path: string,
  candidate: Candidate,
): Fault[] {
  const known = candidate.collection('providers');
  return namesIn(entries).flatMap((name): Fault[] => {
    const provider = known.get(name)?.resolved;
    if (provider === undefined) {
      const meant = closest(name, [...known.keys()]);
      const hint = meant === undefined ? '' : `; did you mean '${meant}'?`;
      return [{ path, message: `names '${name}', and there is no such provider${hint}` }];
    }
    if (provider.channel === channel) return [];
    const message = `names '${name}', which sends by ${String(provider.channel)} and not by ${channel}`;
    return [{ path, message }];
  });
}

function routeFaults(
  { apps, countries, prefixes }: NonNullable<ChannelDocument['routes']>[number],
  channel: string,
  path: string,
  candidate: Candidate,
): Fault[] {
  if (!apps && !countries && !prefixes) {
    return [{ path, message: 'needs countries, prefixes or apps: what fits always is providers' }];
  }
  if (channel === 'email' && (countries || prefixes)) {
    return [{ path, message: 'an address has neither a country nor a prefix: only apps fit here' }];
  }
  const real: readonly string[] = countries ? getCountries() : [];
  const strange = (countries ?? []).filter((country) => !real.includes(country));
  const missing = (apps ?? []).filter((app) => !candidate.collection('apps').has(app));
  return [
    ...strange.map((country) => ({
      path: `${path}.countries`,
      message: `'${country}' is no country that numbers belong to`,
    })),
    ...missing.map((app) => ({ path: `${path}.apps`, message: `there is no app '${app}'` })),
  ];
}
