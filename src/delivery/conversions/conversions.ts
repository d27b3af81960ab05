import { after, type Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/log.ts';
import { createTicker } from '../../lib/ticker.ts';
import type { Db } from '../../storage/types.ts';
import { maskSecrets } from '../mask.ts';
import { exchange } from '../network/exchange.ts';
import type { Provider, Providers } from '../providers.ts';
import { claimUses, dueAgain, type Use } from './store.ts';

export interface ConversionsDeps {
  db: Db;
  clock: Clock;
  log: Logger;
  providers: Pick<Providers, 'all'>;
}

/** Tells gateways that want to hear it which of their messages led to what they were sent for. */
export interface Conversions {
  /** Reports what is due at this moment. */
  report(now: Date): Promise<void>;
  start(): void;
  stop(): Promise<void>;
}

const LOOK_EVERY_MS = 5_000;
const BATCH = 20;
/** Longer than a report may take. Who has taken one and died has it taken again after this time. */
const HELD_MS = 60_000;
/** Nobody waits for it. */
const REPORT_MS = 10_000;
/** After so long a gateway that did not take a report gets it again; after the last one it is left at that. */
const WAITS_MS = [10_000, 60_000, 10 * 60_000, 60 * 60_000];

export const wantsUse = ({ gateway }: Provider): boolean =>
  gateway?.preset.conversions?.wanted(gateway.prepared) ?? false;

export function createConversions(deps: ConversionsDeps): Conversions {
  const { clock, db, log, providers } = deps;
  async function report(now: Date): Promise<void> {
    try {
      const uses = await claimUses(db, BATCH, now, after(now, HELD_MS));
      await Promise.all(uses.map((use) => settle(deps, use)));
    } catch (err) {
      log.warn({ err }, 'uses of messages not reported; trying again');
    }
  }
  const ticker = createTicker(
    async () => (providers.all().some(wantsUse) ? report(clock.now()) : undefined),
    () => LOOK_EVERY_MS,
  );
  return { report, start: ticker.start, stop: ticker.stop };
}

async function settle(deps: ConversionsDeps, use: Use): Promise<void> {
  const { clock, db, log } = deps;
  const fault = await tell(deps, use);
  const waitMs = fault?.again ? WAITS_MS[use.use_tries - 1] : undefined;
  if (fault) {
    const { id: message, provider_id: provider, use_tries: tries } = use;
    log.warn(
      { message, provider, tries, reason: fault.reason, waitMs: waitMs ?? null },
      'a use was not reported',
    );
  }
  await dueAgain(db, use.id, waitMs === undefined ? null : after(clock.now(), waitMs));
}

/** Null: it is told, or there is nothing to tell. */
async function tell(
  { providers }: ConversionsDeps,
  use: Use,
): Promise<{ reason: string; again: boolean } | null> {
  const gateway = providers.all().find(({ id }) => id === use.provider_id)?.gateway;
  const reporter = gateway?.preset.conversions;
  if (!gateway || !reporter?.wanted(gateway.prepared) || use.verified_at === null) return null;
  if (use.followed || use.receipt === 'failed') return null;
  if (use.gateway_id === null) {
    return use.status === 'sending' ? { reason: 'the gateway has not answered yet', again: true } : null;
  }
  const { dispatcher, prepared, transport } = gateway;
  const converted = { gatewayId: use.gateway_id, at: use.verified_at };
  const { answer, error } = await exchange(dispatcher, {
    origin: reporter.origin(prepared),
    request: reporter.report(converted, prepared),
    timeoutMs: Math.min(REPORT_MS, transport.timeoutMs),
    settled: () => true,
  });
  if (answer === null) return { reason: maskSecrets(String(error?.message), transport.secrets), again: true };
  const { status } = answer;
  // What the gateway does not know any more needs no report.
  if ((status >= 200 && status < 300) || status === 404) return null;
  return { reason: `status ${status}`, again: status === 408 || status === 429 || status >= 500 };
}
