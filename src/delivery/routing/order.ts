import type { ChannelDocument, EntryDocument } from './document.ts';

/** What a route may look at. */
export interface Routed {
  /** E.164, or an address. */
  to: string;
  /** ISO 3166; asked only when a route wants to know. */
  country(): string | null;
  app: string | null;
}

/**
 * Who is asked for a message, one after the other. `providers`: those of the channel that may be asked, as
 * `providers.yaml` has them; who is named and not among them is passed over. `draw` answers numbers from 0 up to 1.
 */
export function order<P extends { id: string }>(
  channel: ChannelDocument | undefined,
  providers: readonly P[],
  message: Routed,
  draw: () => number,
): P[] {
  const route = channel?.routes?.find((one) => fits(one, message));
  const entries = route?.providers ?? channel?.providers;
  return entries === undefined ? [...providers] : named(entries, providers, draw);
}

/** The providers of such a list, each once. */
export function named<P extends { id: string }>(
  entries: readonly EntryDocument[],
  providers: readonly P[],
  draw: () => number,
): P[] {
  const ids = entries.flatMap((entry) => (typeof entry === 'string' ? [entry] : shuffled(entry.split, draw)));
  return [...new Set(ids)].flatMap((id) => providers.find((provider) => provider.id === id) ?? []);
}

type Route = NonNullable<ChannelDocument['routes']>[number];

function fits({ apps, countries, prefixes }: Route, { app, country, to }: Routed): boolean {
  if (apps && (app === null || !apps.includes(app))) return false;
  if (prefixes && !prefixes.some((prefix) => to.startsWith(prefix))) return false;
  return !countries || countries.includes(country() ?? '');
}

/** Drawn by weight, one after the other, until all are placed. */
function shuffled(weights: Record<string, number>, draw: () => number): string[] {
  const left = Object.entries(weights);
  const drawn: string[] = [];
  while (left.length > 0) {
    let at = draw() * left.reduce((sum, [, weight]) => sum + weight, 0);
    const found = left.findIndex(([, weight]) => {
      at -= weight;
      return at < 0;
    });
    const [taken] = left.splice(found < 0 ? left.length - 1 : found, 1);
    if (taken) drawn.push(taken[0]);
  }
  return drawn;
}
