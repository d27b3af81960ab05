import { createHttpClient, type HttpClient } from './delivery/index.ts';
import {
  createAlerts,
  createGuard,
  type GuardDeps,
  type GuardDocument,
  type PostLookup,
} from './guard/index.ts';
import type { Guard } from './guard/types.ts';
import type { Clock } from './lib/clock.ts';
import type { Logger } from './lib/log.ts';
import type { Storage } from './storage/types.ts';
import type { Metrics } from './telemetry/index.ts';

/** The guard with what it tells others: metrics, and whoever looks after the money. */
export function createGuarding({
  httpClient,
  metrics,
  storage,
  ...parts
}: Pick<GuardDeps, 'crypto' | 'random' | 'settings'> & {
  clock: Clock;
  log: Logger;
  httpClient: HttpClient;
  metrics: Metrics;
  storage: Storage;
}): { guard: Guard; close(): Promise<void> } {
  const alerts = createAlerts({
    ...parts,
    counters: storage.counters,
    rules: () => parts.settings.get<GuardDocument>('guard').alerts,
    post: async (url, body, headers) => (await httpClient.post(url, body, headers)).status,
  });
  const lookups = createLookupClients();
  const guard = createGuard({
    ...parts,
    postLookup: lookups.post,
    db: storage.db,
    ask: (url, form) => askVendor(httpClient, url, form),
    decided(decided) {
      const { action, rule } = decided;
      metrics.count({ name: 'guard.decided', data: { action, rule } });
      alerts.tell(decided);
    },
  });
  return {
    guard,
    async close() {
      await Promise.all([alerts.close(), lookups.close()]);
    },
  };
}

/** An answer about a number is a few words. */
const LOOKUP_BODY_BYTES = 16 * 1024;

/** One way out for each time limit and kind of network that the settings have asked for. */
function createLookupClients(): { post: PostLookup; close(): Promise<void> } {
  const clients = new Map<string, HttpClient>();
  return {
    post(url, body, headers, { allowPrivateNetwork, timeoutMs }) {
      const key = `${timeoutMs} ${allowPrivateNetwork}`;
      const client =
        clients.get(key) ??
        createHttpClient({ timeoutMs, maxBodyBytes: LOOKUP_BODY_BYTES, egress: { allowPrivateNetwork } });
      clients.set(key, client);
      return client.post(url, body, headers);
    },
    close: async () => {
      await Promise.all([...clients.values()].map((client) => client.close()));
    },
  };
}

async function askVendor(client: HttpClient, url: URL, form: URLSearchParams): Promise<string> {
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  const { body, status } = await client.post(url, form.toString(), headers);
  if (status !== 200) throw new Error(`${url.host} answered ${status}`);
  return body;
}
