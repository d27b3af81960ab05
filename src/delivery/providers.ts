import type { Dispatcher } from 'undici';
import type { References } from '../config/types.ts';
import type { Crypto } from '../crypto/types.ts';
import type { Logger } from '../lib/log.ts';
import type { Fault } from '../lib/problem.ts';
import type { Db } from '../storage/types.ts';
import type { EgressOptions } from './network/egress.ts';
import {
  type HttpPreset,
  isHttp,
  type Preset,
  type ProviderDocument,
  type ProviderDraft,
  type Transport,
} from './preset.ts';
import { listProviders, type ProviderRow } from './store.ts';
import type { Channel } from './types.ts';

/** A provider that can be asked to send. */
export interface Provider {
  id: string;
  channel: Channel;
  preset: Preset;
  from: string | null;
  /** How it is spoken to over HTTP; null when it is not. */
  gateway: { preset: HttpPreset; prepared: unknown; transport: Transport; dispatcher: Dispatcher } | null;
  /** Why it cannot be asked (a reference that is not set any more), or null. */
  broken: string | null;
}

export interface ProvidersDeps {
  presets: readonly Preset[];
  crypto: Crypto;
  references: References;
  log: Logger;
  egress: (options: EgressOptions) => Dispatcher;
}

/** The providers in force, with their open connections. Reloaded when the configuration changes. */
export interface Providers {
  /** Enabled ones of the channel, in order. */
  of(channel: Channel): Provider[];
  all(): Provider[];
  reload(db: Db): Promise<void>;
  close(): Promise<void>;
}

/** Opens what is sealed at rest. */
export const openDocument = (
  crypto: Crypto,
  row: Pick<ProviderRow, 'id' | 'document_sealed'>,
): ProviderDocument => JSON.parse(crypto.open('provider', row.document_sealed, row.id)) as ProviderDocument;

export const sealDocument = (crypto: Crypto, document: ProviderDocument): string =>
  crypto.seal('provider', JSON.stringify(document), document.id);

/** A draft that collects faults; those of references too when `strict`. */
export function createDraft(
  document: ProviderDocument,
  references: References,
  strict: boolean,
): { draft: ProviderDraft; faults: Fault[] } {
  const faults: Fault[] = [];
  const fault = (path: string, message: string) => void faults.push({ path, message });
  return {
    faults,
    draft: {
      document,
      fault,
      resolve(written) {
        const resolved = references.resolve(written);
        if (strict) for (const { message } of resolved.faults) fault('', message);
        return resolved.value;
      },
    },
  };
}

export function createProviders(deps: ProvidersDeps): Providers {
  const pools = new Map<string, { fingerprint: string; dispatcher: Dispatcher }>();
  let loaded: Provider[] = [];

  /** Keeps open connections while nothing that concerns them has changed. */
  function poolFor(id: string, options: EgressOptions): Dispatcher {
    const fingerprint = JSON.stringify(options);
    const present = pools.get(id);
    if (present?.fingerprint === fingerprint) return present.dispatcher;
    const dispatcher = deps.egress(options);
    pools.set(id, { fingerprint, dispatcher });
    if (present) void present.dispatcher.close();
    return dispatcher;
  }

  function load(row: ProviderRow): Provider | null {
    const preset = deps.presets.find(({ id }) => id === row.preset);
    if (preset === undefined) return null;
    const base = { id: row.id, channel: row.channel as Channel, preset, from: null, gateway: null };
    try {
      const document = openDocument(deps.crypto, row);
      const { draft, faults } = createDraft(document, deps.references, true);
      const from = document.from === undefined ? null : draft.resolve(document.from);
      const gateway = isHttp(preset) ? connect(preset, draft, faults, poolFor) : null;
      const broken = faults.map(({ message }) => message).join('; ') || null;
      return { ...base, from, gateway, broken };
    } catch (error) {
      return { ...base, broken: (error as Error).message };
    }
  }

  return {
    of: (channel) => loaded.filter((provider) => provider.channel === channel),
    all: () => loaded,
    async reload(db) {
      const rows = await listProviders(db);
      const next = rows.filter(({ enabled }) => enabled).flatMap((row) => load(row) ?? []);
      for (const { id, broken, gateway } of next) {
        if (broken !== null) deps.log.error({ provider: id, reason: broken }, 'provider cannot be used');
        if (gateway?.transport.proxy) {
          deps.log.warn(
            { provider: id },
            'provider is reached through a proxy: addresses are not checked here',
          );
        }
      }
      loaded = next;
      for (const [id, { dispatcher }] of pools) {
        if (next.some((provider) => provider.id === id)) continue;
        pools.delete(id);
        void dispatcher.close();
      }
    },
    async close() {
      loaded = [];
      await Promise.all([...pools.values()].map(({ dispatcher }) => dispatcher.destroy()));
      pools.clear();
    },
  };
}

function connect(
  preset: HttpPreset,
  draft: ProviderDraft,
  faults: Fault[],
  poolFor: (id: string, options: EgressOptions) => Dispatcher,
): Provider['gateway'] {
  const prepared = preset.prepare(draft);
  if (prepared === null || faults.length > 0) return null;
  const transport = preset.transport(prepared);
  const tls = Object.entries(draft.document.tls ?? {}).map(([name, pem]) => [name, draft.resolve(pem)]);
  const dispatcher = poolFor(draft.document.id, {
    allowPrivateNetwork: transport.allowPrivateNetwork,
    proxy: transport.proxy,
    ...(tls.length === 0 ? {} : { tls: Object.fromEntries(tls) }),
  });
  return { preset, prepared, transport, dispatcher };
}
