import type { Dispatcher } from 'undici';
import type { References } from '../config/types.ts';
import type { Crypto } from '../crypto/types.ts';
import type { Logger } from '../lib/log.ts';
import type { Db } from '../storage/types.ts';
import { createConnect, createEgress, type EgressOptions } from './network/egress.ts';
import { presets } from './presets/index.ts';
import { createProviders, type Provider } from './providers.ts';

/** How a provider stands, for an operator who asks. */
export interface ProviderState {
  id: string;
  channel: string;
  preset: string;
  /** Why it cannot send, or null. No secret is in it. */
  fault: string | null;
}

/**
 * Looks at each provider that is enabled: whether its document can be read, and whether its address takes a connection
 * (with TLS where it is https). Sends no request. One behind a proxy is not connected to.
 */
export async function examineProviders(deps: {
  db: Db;
  crypto: Crypto;
  references: References;
  log: Logger;
}): Promise<ProviderState[]> {
  const options = new WeakMap<Dispatcher, EgressOptions>();
  const egress = (given: EgressOptions) => {
    const dispatcher = createEgress(given);
    options.set(dispatcher, given);
    return dispatcher;
  };
  const providers = createProviders({ ...deps, presets, egress });
  try {
    await providers.reload(deps.db);
    return await Promise.all(
      providers.all().map(async (provider) => ({
        id: provider.id,
        channel: provider.channel,
        preset: provider.preset.id,
        fault: provider.broken ?? (await unreachable(provider, options)),
      })),
    );
  } finally {
    await providers.close();
  }
}

async function unreachable(
  { gateway }: Provider,
  options: WeakMap<Dispatcher, EgressOptions>,
): Promise<string | null> {
  const given = gateway === null ? undefined : options.get(gateway.dispatcher);
  if (gateway === null || given === undefined || given.proxy) return null;
  const { protocol, hostname, host, port } = new URL(gateway.transport.origin);
  return new Promise((resolve) => {
    createConnect(given)({ protocol, hostname, host, port }, (error, socket) => {
      socket?.destroy();
      resolve(error === null ? null : `${host} takes no connection: ${error.message}`);
    });
  });
}
