import { after } from '../../lib/clock.ts';
import type { Db } from '../../storage/types.ts';
import { lifetimeMs } from '../lifetime.ts';
import { countFigures, type PageFigures, type Totals, type Window } from './store.ts';

export interface StepFigures {
  step: string;
  /** Logins in which it was not asked, by the reason. */
  skipped: Record<string, number>;
  pages: PageFigures[];
}

/** What a flow costs the people who go through it. Moments as ISO 8601. */
export interface FlowFigures {
  flow: string;
  version: number | null;
  from: string;
  to: string;
  totals: Totals;
  steps: StepFigures[];
}

/** `order`: ids of the flow's steps; steps of other versions come behind. Abandoned are logins whose time is over. */
export async function readFigures(db: Db, window: Window, order: string[], now: Date): Promise<FlowFigures> {
  const { totals, pages, skips } = await countFigures(db, window, after(now, -lifetimeMs));
  const known = new Set([...pages, ...skips].map(({ step }) => step));
  const ids = [
    ...order.filter((id) => known.has(id)),
    ...[...known].filter((id) => !order.includes(id)).sort(),
  ];
  const { flow, version, from, to } = window;
  return {
    ...{ flow, version, from: from.toISOString(), to: to.toISOString(), totals },
    steps: ids.map((step) => ({
      step,
      skipped: Object.fromEntries(
        skips
          .filter((skip) => skip.step === step)
          .map(({ reason, logins }) => [reason, logins] as const)
          .sort(([a], [b]) => a.localeCompare(b)),
      ),
      pages: pages
        .filter((page) => page.step === step)
        .sort((a, b) => b.shown - a.shown || (a.method ?? '').localeCompare(b.method ?? '')),
    })),
  };
}
