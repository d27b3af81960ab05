import { listOpen } from '../breaker/store.ts';
import { createEgress } from '../network/egress.ts';
import { presets } from '../presets/index.ts';
import { openProvider } from '../providers.ts';
import { listProviders } from '../store.ts';
import type { DeskDeps } from './deps.ts';
import { type Judged, judge, save, shown } from './save.ts';
import { type DryRun, dryRun, type TestResult, type TrialOf, testSend } from './trial.ts';

/** A provider as a list shows it. No secret is in it. */
export interface ProviderSummary {
  id: string;
  channel: string;
  preset: string;
  enabled: boolean;
  from: string | null;
  /** Scheme, host and port; null where it is not reached over the network, or cannot be read. */
  origin: string | null;
  /** Why it cannot send, or null. */
  fault: string | null;
  /** It has failed, and is not asked until then (ISO 8601); null: it is. */
  leftAlone: { until: string; reason: string } | null;
}

/** What people who run a gateway do with providers, by commands or a console. Input and answers are plain JSON. */
export interface ProviderDesk {
  /** In the order in which they are asked. */
  list(): Promise<ProviderSummary[]>;
  /** What would be saved, with everything that is to be said about it. Saves nothing. */
  judge(documents: Record<string, unknown>[]): Promise<Judged[]>;
  /** Saves all or none. Throws Problem 400 with what is wrong. */
  save(documents: Record<string, unknown>[]): Promise<Judged[]>;
  /** Throws Problem 404, 409 when it cannot be shown, 400 for what is wrong with the input. */
  dryRun(trial: TrialOf): Promise<DryRun>;
  /** As {@link ProviderDesk.dryRun}, but sends one message. */
  test(trial: TrialOf): Promise<TestResult>;
}

export const createProviderDesk = (deps: DeskDeps): ProviderDesk => ({
  list: () => list(deps),
  async judge(documents) {
    const judged: Judged[] = [];
    for (const document of documents) judged.push(shown(await judge(deps, deps.storage.db, document)));
    return judged;
  },
  save: (documents) => save(deps, documents),
  dryRun: (trial) => dryRun(deps, trial),
  test: (trial) => testSend(deps, trial),
});

async function list(deps: DeskDeps): Promise<ProviderSummary[]> {
  const rows = await listProviders(deps.storage.db);
  const open = await listOpen(deps.storage.db);
  const now = deps.clock.now();
  return Promise.all(
    rows.map(async (row) => {
      const { id, channel, preset, enabled } = row;
      const { provider, close } = openProvider(
        { ...deps, presets, egress: deps.egress ?? createEgress },
        row,
      );
      try {
        const transport = (provider?.gateway ?? provider?.direct)?.transport;
        const fault = provider === null ? `there is no preset ${preset}` : provider.broken;
        const state = open.get(id);
        const leftAlone =
          state && state.until > now ? { until: state.until.toISOString(), reason: state.reason } : null;
        return {
          leftAlone,
          ...{ id, channel, preset, enabled, fault, from: provider?.from ?? null },
          origin: transport?.origin ?? null,
        };
      } finally {
        await close();
      }
    }),
  );
}

/** What the command line may ask of a running server. */
export const providerCommands = (
  desk: ProviderDesk,
): Record<string, (input: unknown) => Promise<unknown>> => ({
  'provider/list': () => desk.list(),
  'provider/judge': (input) => desk.judge((input as { documents: Record<string, unknown>[] }).documents),
  'provider/save': (input) => desk.save((input as { documents: Record<string, unknown>[] }).documents),
  'provider/dry-run': (input) => desk.dryRun(input as TrialOf),
  'provider/test': (input) => desk.test(input as TrialOf),
});
