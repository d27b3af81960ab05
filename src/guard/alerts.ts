import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '../lib/clock.ts';
import { newId, type RandomSource } from '../lib/ids.ts';
import type { Logger } from '../lib/log.ts';
import type { Fault } from '../lib/problem.ts';
import { Type } from '../lib/schema.ts';
import { signWebhook, webhookKey } from '../lib/standard-webhooks.ts';
import type { Counters } from '../storage/types.ts';
import type { Decided } from './sends/service.ts';
import { secretFault, webhookMembers } from './webhook-secret.ts';

/** The member `guard.alerts` of gateway.yaml, defaults filled in. */
export interface AlertsDocument {
  url: string;
  secret: string;
}

export const alertsSchema = Type.Partial(
  Type.Object(
    webhookMembers({
      url: 'Where budgets, blocked prefixes and countries that do not verify are told of, as JSON. Empty: nowhere.',
      secret: 'Signs it as Standard Webhooks say: whsec_ and 24 to 64 bytes in base64.',
    }),
  ),
  { additionalProperties: false, default: {} },
);

export function alertsFaults({ secret, url }: AlertsDocument): Fault[] {
  if (url === '') return [];
  if (!URL.canParse(url)) return [{ path: 'alerts.url', message: 'is no address' }];
  const fault = secretFault('alerts.secret', secret);
  return fault === null ? [] : [fault];
}

export interface AlertsDeps {
  counters: Counters;
  clock: Clock;
  random: RandomSource;
  log: Logger;
  rules(): AlertsDocument;
  /** Posts by the checked way out; the status of the answer. */
  post(url: URL, body: string, headers: Record<string, string>): Promise<number>;
}

/** Tells whoever looks after the money. Whoever waits for a login never waits for it. */
export interface Alerts {
  tell(decided: Decided): void;
  close(): Promise<void>;
}

/** The same is told once in this time, by whichever instance saw it first. */
const ONCE_IN_MS = 60 * 60_000;
/** Before each further try. What is lost all the same stands among the decisions. */
const RETRY_AFTER_MS = [1_000, 5_000];

export function createAlerts(deps: AlertsDeps): Alerts {
  const underWay = new Set<Promise<void>>();
  const closing = new AbortController();
  return {
    tell(decided) {
      const type = alertType(decided);
      if (type === null || deps.rules().url === '') return;
      const telling = send(deps, type, decided, closing.signal)
        .catch((err) => deps.log.warn({ err, alert: type }, 'an alert was not delivered'))
        .finally(() => underWay.delete(telling));
      underWay.add(telling);
    },
    async close() {
      closing.abort();
      await Promise.all(underWay);
    },
  };
}

function alertType({ action, figures, rule }: Decided): string | null {
  if (rule === 'budget') {
    if (figures.percent !== undefined) return 'guard.budget.warning';
    return action === 'allow' ? null : 'guard.budget.spent';
  }
  if (rule === 'prefix' && figures.blockBegun !== undefined) return 'guard.prefix.blocked';
  return rule === 'conversion' ? 'guard.conversion.low' : null;
}

async function send(deps: AlertsDeps, type: string, decided: Decided, stop: AbortSignal): Promise<void> {
  const { clock, counters, post, random, rules } = deps;
  const { action, appId, country, figures, rule } = decided;
  const now = clock.now();
  const once =
    rule === 'prefix' ? null : ['alert', type, country ?? '', rule === 'budget' ? figures.most : ''];
  if (once && (await counters.add(once.join(':'), ONCE_IN_MS, now)) > 1) return;
  const { secret, url } = rules();
  const key = webhookKey(secret);
  if (key === null) return;
  const body = JSON.stringify({
    type,
    timestamp: now.toISOString(),
    data: { rule, action, app: appId, country, figures },
  });
  const id = newId('alr', random);
  for (const waitMs of [...RETRY_AFTER_MS, null]) {
    const headers = Object.fromEntries(signWebhook(key, id, body, clock.now()));
    const status = await post(new URL(url), body, { 'content-type': 'application/json', ...headers }).catch(
      (error: unknown) => {
        if (waitMs === null || stop.aborted) throw error;
        return 0;
      },
    );
    if (status >= 200 && status < 300) return;
    if (waitMs === null || stop.aborted) throw new Error(`the receiver answered ${status}`);
    await delay(waitMs, undefined, { signal: stop }).catch(() => undefined);
  }
}
