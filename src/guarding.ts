import type { HttpClient } from './delivery/index.ts';
import { createAlerts, createGuard, type GuardDeps, type GuardDocument } from './guard/index.ts';
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
  const guard = createGuard({
    ...parts,
    db: storage.db,
    ask: (url, form) => askVendor(httpClient, url, form),
    decided(decided) {
      const { action, rule } = decided;
      metrics.count({ name: 'guard.decided', data: { action, rule } });
      alerts.tell(decided);
    },
  });
  return { guard, close: alerts.close };
}

async function askVendor(client: HttpClient, url: URL, form: URLSearchParams): Promise<string> {
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  const { body, status } = await client.post(url, form.toString(), headers);
  if (status !== 200) throw new Error(`${url.host} answered ${status}`);
  return body;
}
