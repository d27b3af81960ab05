import type { IncomingMessage, ServerResponse } from 'node:http';
import type Provider from 'oidc-provider';
import { signingKeysTopic } from '../crypto/index.ts';
import type { SigningKey } from '../crypto/types.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/log.ts';
import type { Revisions } from '../storage/types.ts';

/** Keys are looked at this often even when nobody has said that they changed. */
const longestWaitMs = 3_600_000;
const retryMs = 5_000;

export interface LiveProvider {
  /** The one that answers now. */
  current(): Provider;
  answer(request: IncomingMessage, response: ServerResponse): Promise<void>;
  stop(): void;
}

/**
 * The library reads its keys once, so other keys mean another provider. It takes over between two requests: those under
 * way end on the one they began with. New keys come when the revision says so, and when a successor's time has come.
 */
export async function createLiveProvider(deps: {
  load(): Promise<SigningKey[]>;
  build(keys: SigningKey[]): Provider;
  clock: Clock;
  log: Logger;
  revisions: Pick<Revisions, 'watch'>;
}): Promise<LiveProvider> {
  const { clock, log } = deps;
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  let looking: Promise<void> = Promise.resolve();
  let live = liveOn(await deps.load());

  function liveOn(keys: SigningKey[]) {
    const provider = deps.build(keys);
    return { provider, answer: provider.callback(), order: orderOf(keys) };
  }

  async function look(): Promise<void> {
    if (stopped) return;
    try {
      const keys = await deps.load();
      if (orderOf(keys) !== live.order) {
        live = liveOn(keys);
        log.info({ kids: keys.map(({ kid }) => kid) }, 'signing keys taken up');
      }
      lookAgain(untilNext(keys, clock.now()));
    } catch (err) {
      log.error({ err }, 'signing keys could not be read anew; the old ones stay for now');
      lookAgain(retryMs);
    }
  }

  function lookAgain(ms: number): void {
    clearTimeout(timer);
    if (stopped) return;
    timer = setTimeout(soon, Math.min(ms, longestWaitMs));
    timer.unref();
  }

  /** One look after the other, so that an older answer never replaces a newer one. */
  function soon(): void {
    looking = looking.then(look);
  }

  const unwatch = deps.revisions.watch(signingKeysTopic, soon);
  lookAgain(0);
  return {
    current: () => live.provider,
    answer: (request, response) => live.answer(request, response),
    stop() {
      stopped = true;
      clearTimeout(timer);
      unwatch();
    },
  };
}

const orderOf = (keys: SigningKey[]): string => keys.map(({ kid }) => kid).join(' ');

/** Milliseconds until the first successor signs. */
function untilNext(keys: SigningKey[], now: Date): number {
  const waits = keys.map(({ signsFrom }) => signsFrom.getTime() - now.getTime()).filter((wait) => wait > 0);
  return Math.min(longestWaitMs, ...waits);
}
