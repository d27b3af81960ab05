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
  /** What a preset that is not HTTP has read; absent where it reads nothing. */
  direct?: { prepared: unknown; transport: Transport | null };
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

/** A draft that collects faults; those of references are the reader's of the whole document. */
export function createDraft(
  document: ProviderDocument,
  references: References,
): { draft: ProviderDraft; faults: Fault[] } {
  const faults: Fault[] = [];
  const draft: ProviderDraft = {
    document,
    fault: (path, message) => void faults.push({ path, message }),
    resolve: (written) => references.resolve(written).value,
  };
  return { draft, faults };
}

export function createProviders(deps: ProvidersDeps): Providers {
  const pools = createPools(deps.egress);
  let loaded: Provider[] = [];
  return {
    of: (channel) => loaded.filter((provider) => provider.channel === channel),
    all: () => loaded,
    async reload(db) {
      const rows = await listProviders(db);
      loaded = rows.filter(({ enabled }) => enabled).flatMap((row) => load(deps, row, pools) ?? []);
      for (const { id, broken, gateway } of loaded) {
        if (broken !== null) deps.log.error({ provider: id, reason: broken }, 'provider cannot be used');
        if (gateway?.transport.proxy) {
          deps.log.warn(
            { provider: id },
            'provider is reached through a proxy: addresses are not checked here',
          );
        }
      }
      pools.keep(loaded.map(({ id }) => id));
    },
    async close() {
      loaded = [];
      await pools.destroy();
    },
  };
}

/** One provider by itself, enabled or not. Close it when it is of no more use. */
export function openProvider(
  deps: ProvidersDeps,
  row: ProviderRow,
): { provider: Provider | null; close(): Promise<void> } {
  const pools = createPools(deps.egress);
  return { provider: load(deps, row, pools), close: () => pools.destroy() };
}

/** The open connections of each provider. */
interface Pools {
  /** Those that are open already, while nothing that concerns them has changed. */
  get(id: string, options: EgressOptions): Dispatcher;
  /** Closes those of all others, once what is under way has ended. */
  keep(ids: string[]): void;
  destroy(): Promise<void>;
}

function createPools(open: (options: EgressOptions) => Dispatcher): Pools {
  const pools = new Map<string, { fingerprint: string; dispatcher: Dispatcher }>();
  return {
    get(id, options) {
      const fingerprint = JSON.stringify(options);
      const present = pools.get(id);
      if (present?.fingerprint === fingerprint) return present.dispatcher;
      const dispatcher = open(options);
      pools.set(id, { fingerprint, dispatcher });
      if (present) void present.dispatcher.close();
      return dispatcher;
    },
    keep(ids) {
      for (const [id, { dispatcher }] of pools) {
        if (ids.includes(id)) continue;
        pools.delete(id);
        void dispatcher.close();
      }
    },
    async destroy() {
      await Promise.all([...pools.values()].map(({ dispatcher }) => dispatcher.destroy()));
      pools.clear();
    },
  };
}

/** A provider that cannot be read stays, so that whoever asks it learns why. */
function load(deps: ProvidersDeps, row: ProviderRow, pools: Pools): Provider | null {
  const preset = deps.presets.find(({ id }) => id === row.preset);
  if (preset === undefined) return null;
  const base = { id: row.id, channel: row.channel as Channel, preset, from: null, gateway: null };
  try {
    const document = openDocument(deps.crypto, row);
    const { draft, faults } = createDraft(document, deps.references);
    faults.push(...deps.references.resolve(document).faults);
    const from = document.from === undefined ? null : draft.resolve(document.from);
    const gateway = isHttp(preset) ? connect(preset, draft, faults, pools) : null;
    const prepared = isHttp(preset) ? null : (preset.prepare?.(draft) ?? null);
    const direct =
      prepared === null ? {} : { direct: { prepared, transport: transportOf(preset, prepared) } };
    const broken = faults.map(({ message }) => message).join('; ') || null;
    return { ...base, from, gateway, ...direct, broken };
  } catch (error) {
    return { ...base, broken: (error as Error).message };
  }
}

/** How what a preset has read is reached; null when it does not say. */
export const transportOf = (preset: Preset, prepared: unknown): Transport | null =>
  preset.transport?.(prepared) ?? null;

function connect(
  preset: HttpPreset,
  draft: ProviderDraft,
  faults: Fault[],
  pools: Pools,
): Provider['gateway'] {
  const prepared = preset.prepare(draft);
  if (prepared === null || faults.length > 0) return null;
  const transport = preset.transport(prepared);
  const tls = Object.entries(draft.document.tls ?? {}).map(([name, pem]) => [name, draft.resolve(pem)]);
  const dispatcher = pools.get(draft.document.id, {
    allowPrivateNetwork: transport.allowPrivateNetwork,
    proxy: transport.proxy,
    ...(tls.length === 0 ? {} : { tls: Object.fromEntries(tls) }),
  });
  return { preset, prepared, transport, dispatcher };
}
