import type { Crypto } from '../../crypto/types.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/log.ts';
import { maskFor, unanswered, waiting } from '../attempt.ts';
import type { Admission, Breakers } from '../breaker/breakers.ts';
import { exchange } from '../network/exchange.ts';
import type { CodeKeeper, Verdict } from '../preset.ts';
import type { Provider, Providers } from '../providers.ts';
import type { Channel, CodeKept, KeptAnswer, Outcome } from '../types.ts';

export interface KeepingDeps {
  crypto: Crypto;
  clock: Clock;
  log: Logger;
  providers: Pick<Providers, 'all' | 'of'>;
  breakers: Pick<Breakers, 'admit' | 'tell'>;
}

/** Codes that gateways made themselves. */
export interface Keeping {
  keepsCodes(channel: Channel): boolean;
  check(kept: CodeKept[], typed: string): Promise<KeptAnswer>;
}

/** For everything that is asked about one try: somebody waits. */
const WHOLE_MS = 8_000;

/** Whether this provider makes the codes itself, as it is configured now. */
export const keepsCode = ({ gateway }: Provider): boolean =>
  gateway?.preset.keeper?.keeps(gateway.prepared) ?? false;

export function createKeeping(deps: KeepingDeps): Keeping {
  return {
    keepsCodes: (channel) => deps.providers.of(channel).some(keepsCode),
    check: (kept, typed) => check(deps, kept, typed),
  };
}

/** One place is asked once about a try, however many messages it sent: it counts tries, too. */
async function check(deps: KeepingDeps, kept: CodeKept[], typed: string): Promise<KeptAnswer> {
  const ends = performance.now() + WHOLE_MS;
  const asked = new Set<string>();
  const found = new Set<Verdict['is']>();
  for (const one of kept) {
    const to = recipientOf(deps, one);
    const keeper = keeperOf(deps, one.provider);
    if (keeper === null || to === null) {
      found.add('unchecked');
      deps.log.warn({ message: one.message, provider: one.provider }, 'nobody can be asked about a code');
      continue;
    }
    const place = `${keeper.place} ${to}`;
    if (asked.has(place)) continue;
    asked.add(place);
    const verdict = await ask(deps, keeper, { ...one, to, typed }, ends);
    if (verdict === 'right') return { is: 'right', message: one.message };
    found.add(verdict);
  }
  // What nobody could look at may have been the code, whatever the others say.
  const is = (['unchecked', 'wrong'] as const).find((verdict) => found.has(verdict)) ?? 'gone';
  return { is };
}

/** Null: its key is gone. */
function recipientOf({ crypto }: KeepingDeps, { message, sealed }: CodeKept): string | null {
  try {
    return crypto.open('message', sealed, message);
  } catch {
    return null;
  }
}

interface Keeper {
  provider: Provider;
  gateway: NonNullable<Provider['gateway']>;
  rules: CodeKeeper<unknown>;
  place: string;
}

function keeperOf({ providers }: KeepingDeps, id: string): Keeper | null {
  const provider = providers.all().find((one) => one.id === id);
  const gateway = provider?.gateway ?? null;
  const rules = gateway?.preset.keeper;
  if (!provider || provider.broken !== null || !gateway || !rules) return null;
  return { provider, gateway, rules, place: rules.place(gateway.prepared) };
}

async function ask(
  { breakers, clock, log }: KeepingDeps,
  { gateway, provider, rules }: Keeper,
  { message, to, typed }: CodeKept & { to: string; typed: string },
  ends: number,
): Promise<Verdict['is']> {
  const { dispatcher, prepared, transport } = gateway;
  const request = rules.question({ to, typed }, prepared);
  if (request === null) return 'wrong';
  const unchecked = (reason: string): 'unchecked' => {
    const mask = maskFor({ to, text: typed, code: typed }, transport.secrets);
    log.warn({ message, provider: provider.id, reason: mask(reason) }, 'a code could not be checked');
    return 'unchecked';
  };
  const timeoutMs = Math.min(ends - performance.now(), transport.timeoutMs);
  if (timeoutMs <= 0) return unchecked('no time was left');
  const admission = await breakers.admit(provider.id, clock.now());
  if (admission.is === 'refused') return unchecked(admission.reason);
  const { origin } = transport;
  const result = await exchange(dispatcher, { origin, request, timeoutMs, settled: () => false });
  if (result.answer === null) {
    const outcome = unanswered(result);
    await tell(breakers, provider, outcome, admission, clock.now());
    return unchecked(outcome.reason);
  }
  const verdict = rules.verdict(result.answer, prepared);
  const answered: Outcome =
    verdict.is === 'unchecked' ? verdictOutcome(verdict) : { status: 'accepted', gatewayId: null };
  await tell(breakers, provider, waiting(answered, result.answer, clock.now()), admission, clock.now());
  return verdict.is === 'unchecked' ? unchecked(verdict.reason) : verdict.is;
}

const verdictOutcome = ({ status, reason }: Extract<Verdict, { is: 'unchecked' }>): Outcome => ({
  status,
  reason,
});

/** The answer to the person does not depend on whether it could be counted. */
const tell = (
  breakers: KeepingDeps['breakers'],
  { id }: Provider,
  outcome: Outcome,
  admission: Admission,
  now: Date,
): Promise<void> => breakers.tell(id, outcome, admission, now).catch(() => undefined);
