import type { Dispatcher } from 'undici';
import type { References } from '../config/types.ts';
import type { Crypto } from '../crypto/types.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/log.ts';
import type { Db } from '../storage/types.ts';
import { listOpen, type OpenState } from './breaker/store.ts';
import { createConnect, createEgress, type EgressOptions } from './network/egress.ts';
import { openSocket } from './network/socket.ts';
import type { Transport } from './preset.ts';
import { presets } from './presets/index.ts';
import { createProviders, type Provider } from './providers.ts';
import { listProviders } from './store.ts';

/** How a provider stands, for an operator who asks. */
export interface ProviderState {
  id: string;
  channel: string;
  preset: string;
  /** Why it cannot send, or null. No secret is in it. */
  fault: string | null;
  /** It has failed, and is not asked until then; null: it is. */
  leftAlone: OpenState | null;
}

/** Channels that a provider which is enabled sends by. */
export const enabledChannels = async (db: Db): Promise<Set<string>> =>
  new Set((await listProviders(db)).filter(({ enabled }) => enabled).map(({ channel }) => channel));

/**
 * Looks at each provider that is enabled: whether its document can be read, and whether its address takes a connection
 * (with TLS where it is https). Sends no request. One behind a proxy is not connected to.
 */
export async function examineProviders(deps: {
  db: Db;
  crypto: Crypto;
  references: References;
  log: Logger;
  clock: Clock;
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
    const now = deps.clock.now();
    const open = await listOpen(deps.db);
    return await Promise.all(
      providers.all().map(async (provider) => ({
        id: provider.id,
        channel: provider.channel,
        preset: provider.preset.id,
        fault: provider.broken ?? (await unreachable(provider, options)),
        leftAlone: [open.get(provider.id)].find((state) => state && state.until > now) ?? null,
      })),
    );
  } finally {
    await providers.close();
  }
}

/** A server that is not spoken to over HTTP takes a connection, or says why not. */
async function unanswering({ origin, allowPrivateNetwork, timeoutMs }: Transport): Promise<string | null> {
  const { hostname, host, port } = new URL(origin);
  try {
    const peer = { host: hostname.replace(/^\[(.*)\]$/, '$1'), port: Number(port) };
    const socket = await openSocket({ ...peer, allowPrivateNetwork, timeoutMs });
    socket.destroy();
    return null;
  } catch (error) {
    return `${host} takes no connection: ${(error as Error).message}`;
  }
}

async function unreachable(
  { gateway, direct }: Provider,
  options: WeakMap<Dispatcher, EgressOptions>,
): Promise<string | null> {
  if (direct?.transport) return unanswering(direct.transport);
  const given = gateway === null ? undefined : options.get(gateway.dispatcher);
  if (gateway === null || given === undefined || given.proxy) return null;
  const { origin, tokenOrigin } = gateway.transport;
  const asked = [origin, ...(tokenOrigin ? [tokenOrigin] : [])].map((one) => refusing(one, given));
  return (await Promise.all(asked)).find((fault) => fault !== null) ?? null;
}

/** Why nothing connects there, or null. */
function refusing(origin: string, given: EgressOptions): Promise<string | null> {
  const { protocol, hostname, host, port } = new URL(origin);
  return new Promise((resolve) => {
    createConnect(given)({ protocol, hostname, host, port }, (error, socket) => {
      socket?.destroy();
      resolve(error === null ? null : `${host} takes no connection: ${error.message}`);
    });
  });
}
