import type { Logger } from '../lib/log.ts';
import { networkFault } from '../lib/network.ts';
import type { Fault } from '../lib/problem.ts';
import { Type } from '../lib/schema.ts';
import type { Storage } from '../storage/types.ts';
import { readSettings } from './store.ts';
import type { ConfigSection, CountryDocument, SettingSection, Settings } from './types.ts';
import { filled } from './validation/defaults.ts';

/** Members of `gateway.yaml` that belong to no feature. */
export const gatewaySections: SettingSection[] = [
  {
    kind: 'setting',
    member: 'name',
    schema: Type.String({
      default: 'Sallyport',
      minLength: 1,
      maxLength: 100,
      description: 'Shown on every page.',
    }),
  },
  {
    kind: 'setting',
    member: 'trustedProxies',
    schema: Type.Array(Type.String(), {
      default: [],
      description:
        'Addresses or networks (10.0.0.0/8) of the proxies whose X-Forwarded-* headers are believed. Read at start: a change takes effect at the next one.',
    }),
    check: (value) => (value as string[]).flatMap(faultOfNetwork),
  },
  {
    kind: 'setting',
    member: 'country',
    schema: Type.Partial(
      Type.Object({
        header: Type.String({
          default: '',
          pattern: '^[A-Za-z0-9-]{0,64}$',
          description:
            'The header in which a proxy of `trustedProxies` says the country that a request comes from, such as CF-IPCountry. Conditions of flows know it as request.country. Default: none.',
        }),
      }),
      { additionalProperties: false },
    ),
    check(value, candidate) {
      const proxies = candidate.setting('trustedProxies') as string[];
      if ((value as CountryDocument).header === '' || proxies.length > 0) return [];
      const message = 'is believed of proxies only, and trustedProxies names none';
      return [{ path: 'header', message }];
    },
  },
];

function faultOfNetwork(network: string, index: number): Fault[] {
  const message = networkFault(network);
  return message === null ? [] : [{ path: `[${index}]`, message }];
}

/** Settings in force, kept in memory. Before the first `load` every setting has its defaults. */
export interface LiveSettings extends Settings {
  /** Reads them now, and from then on whenever the `settings` revision changes. */
  load(): Promise<void>;
}

export function createSettings(deps: {
  sections: readonly ConfigSection[];
  storage: Pick<Storage, 'db' | 'revisions'>;
  log: Logger;
}): LiveSettings {
  const { sections, storage, log } = deps;
  let values = withDefaults(sections, new Map());
  let watching = false;

  async function reload(): Promise<void> {
    const stored = await readSettings(storage.db, sections);
    values = withDefaults(sections, new Map([...stored].map(([member, { resolved }]) => [member, resolved])));
  }

  return {
    get<T>(member: string): T {
      if (!values.has(member)) throw new Error(`there is no setting named ${member}`);
      return values.get(member) as T;
    },
    async load() {
      await reload();
      if (watching) return;
      watching = true;
      storage.revisions.watch('settings', () => {
        reload().catch((error) =>
          log.error({ err: error }, 'settings could not be read anew; the old ones stay'),
        );
      });
    },
  };
}

/** What would be in force with these values: defaults for every setting and member that is absent. */
export const withDefaults = (
  sections: readonly ConfigSection[],
  given: Map<string, unknown>,
): Map<string, unknown> =>
  new Map(
    sections
      .filter((section) => section.kind === 'setting')
      .map(({ member, schema }) => [member, filled(schema, given.get(member))]),
  );
