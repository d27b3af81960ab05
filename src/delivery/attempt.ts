import { retryAfterMs } from './breaker/retry-after.ts';
import { phoneParts } from './destination.ts';
import { maskReason } from './mask.ts';
import { type Exchange, exchange } from './network/exchange.ts';
import { type AuthorizedRequest, type Dispatch, type GatewayAnswer, isHttp, type Tools } from './preset.ts';
import type { Provider } from './providers.ts';
import { EncodingError } from './template/encode.ts';
import type { Outcome } from './types.ts';

/** What one provider made of one message. */
export interface Attempt {
  /** Its reason holds no number, code or secret. */
  outcome: Outcome;
  /** The gateway's words under the same masks; null when none came, or it is not spoken to over HTTP. */
  answer: { status: number; body: string } | null;
}

/**
 * Asks one provider to send one message, within `timeoutMs`. Never throws; what it answers as a reason holds no
 * number, code or secret.
 */
export async function attempt(
  provider: Provider,
  message: Dispatch,
  timeoutMs: number,
  tools: Tools,
): Promise<Outcome> {
  const { outcome, secrets } = await ask(provider, message, timeoutMs, tools);
  // Reading a number to mask it costs more than rendering the message: only words of somebody's need it.
  return outcome.status === 'accepted' ? outcome : masked(outcome, maskFor(message, secrets));
}

/** The same, with the answer for whoever tries a provider out. */
export async function attemptShown(
  provider: Provider,
  message: Dispatch,
  timeoutMs: number,
  tools: Tools,
): Promise<Attempt> {
  const { outcome, answer, secrets } = await ask(provider, message, timeoutMs, tools);
  const mask = maskFor(message, secrets);
  const shown = answer && { status: answer.status, body: mask(answer.body) };
  return { outcome: masked(outcome, mask), answer: shown };
}

const masked = (outcome: Outcome, mask: (words: string) => string): Outcome =>
  outcome.status === 'accepted' ? outcome : { ...outcome, reason: mask(outcome.reason) };

/** Takes a recipient, what was sent to it, and secrets out of a gateway's words. */
export function maskFor(
  { to, text, code }: Pick<Dispatch, 'to' | 'text' | 'code'>,
  secrets: string[],
): (words: string) => string {
  const national = phoneParts(to)?.national ?? '';
  const parts = [to.replace(/^\+/, ''), national];
  return (words) => maskReason(words, { to, parts, text, code, secrets });
}

/** What came of it, nothing masked, and the secrets that may stand in it. */
interface Asked {
  outcome: Outcome;
  answer: GatewayAnswer | null;
  secrets: string[];
}

async function ask(provider: Provider, message: Dispatch, timeoutMs: number, tools: Tools): Promise<Asked> {
  const { gateway, direct, preset, broken } = provider;
  const secrets = [...((gateway ?? direct)?.transport?.secrets ?? [])];
  const unavailable = (reason: string): Asked => ({
    outcome: { status: 'unavailable', reason },
    ...{ answer: null, secrets },
  });
  if (broken !== null) return unavailable(broken);
  try {
    if (!isHttp(preset)) {
      const outcome = await preset.send(message, tools, direct?.prepared ?? null, timeoutMs);
      return { outcome, answer: null, secrets };
    }
    if (gateway === null) return unavailable('the provider was not loaded');
    return { ...(await overHttp(gateway, message, timeoutMs, { tools, secrets })), secrets };
  } catch (error) {
    const status = error instanceof EncodingError || error instanceof NotSent ? 'unavailable' : 'unknown';
    return { outcome: { status, reason: (error as Error).message }, answer: null, secrets };
  }
}

/** The gateway has not been asked. */
class NotSent extends Error {}

async function beforeSending<T>(work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw new NotSent((error as Error).message, { cause: error });
  }
}

/** Adds to `secrets` what is made for this message only. */
async function overHttp(
  { preset, prepared, transport, dispatcher }: NonNullable<Provider['gateway']>,
  message: Dispatch,
  timeoutMs: number,
  { tools, secrets }: { tools: Tools; secrets: string[] },
): Promise<Omit<Asked, 'secrets'>> {
  const authorizer = preset.authorizer?.(prepared) ?? null;
  const plain = await beforeSending(() => preset.request(message, prepared, tools));
  const whole = Math.min(timeoutMs, transport.timeoutMs);
  const ends = performance.now() + whole;
  const left = () => (authorizer === null ? whole : ends - performance.now());
  const authorized = async (): Promise<AuthorizedRequest> => {
    if (authorizer === null) return { request: plain, secrets: [] };
    const means = { dispatcher, now: tools.now, timeoutMs: left() };
    const written = await beforeSending(() => authorizer.authorize(plain, message, means));
    if (left() <= 0) throw new NotSent('no time was left when it was authorized');
    secrets.push(...written.secrets);
    return written;
  };
  const send = async ({ request }: AuthorizedRequest) => {
    const settled = (head: GatewayAnswer) => preset.settled(head, prepared);
    const result = await exchange(dispatcher, {
      ...{ origin: transport.origin, request, timeoutMs: left(), settled },
    });
    const outcome =
      result.answer === null
        ? unanswered(result)
        : waiting(withCut(preset.outcome(result.answer, prepared), result.error), result.answer, tools.now);
    return { outcome, answer: result.answer };
  };
  const first = await authorized();
  const sent = await send(first);
  // Only what was surely not taken may be sent once more; a provider's own rules may read a 401 otherwise.
  if (sent.answer?.status !== 401 || sent.outcome.status !== 'unavailable') return sent;
  if (!authorizer?.refused || left() <= 0) return sent;
  authorizer.refused(first);
  return send(await authorized());
}

/** With why the answer is not whole, where that is so. */
const withCut = (outcome: Outcome, error: Error | null): Outcome =>
  error === null || outcome.status === 'accepted'
    ? outcome
    : { ...outcome, reason: `${error.message}; ${outcome.reason}` };

/** With the time for which the gateway wants to be left alone. */
export function waiting(outcome: Outcome, answer: GatewayAnswer, now: Date): Outcome {
  const ms = outcome.status === 'unavailable' ? retryAfterMs(answer, now) : 0;
  return outcome.status === 'unavailable' && ms > 0 ? { ...outcome, retryAfterMs: ms } : outcome;
}

/** Not written: surely not accepted. Written: nobody knows. */
export function unanswered({
  written,
  error,
}: Extract<Exchange, { answer: null }>): Extract<Outcome, { status: 'unknown' | 'unavailable' }> {
  const code = (error as NodeJS.ErrnoException).code;
  const reason =
    code === undefined || error.message.includes(code) ? error.message : `${error.message} (${code})`;
  return { status: written ? 'unknown' : 'unavailable', reason };
}
