import { phoneParts } from './destination.ts';
import { maskReason } from './mask.ts';
import { type Exchange, exchange } from './network/exchange.ts';
import { type Dispatch, isHttp, type Tools } from './preset.ts';
import type { Provider } from './providers.ts';
import { EncodingError } from './template/encode.ts';
import type { Outcome } from './types.ts';

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
  const outcome = await ask(provider, message, timeoutMs, tools);
  if (outcome.status === 'accepted') return outcome;
  const national = phoneParts(message.to)?.national ?? '';
  const reason = maskReason(outcome.reason, {
    to: message.to,
    parts: [message.to.replace(/^\+/, ''), national],
    text: message.text,
    code: message.code,
    secrets: provider.gateway?.transport.secrets ?? [],
  });
  return { ...outcome, reason };
}

async function ask(provider: Provider, message: Dispatch, timeoutMs: number, tools: Tools): Promise<Outcome> {
  const { gateway, preset, broken } = provider;
  if (broken !== null) return { status: 'unavailable', reason: broken };
  try {
    if (!isHttp(preset)) return await preset.send(message, tools);
    if (gateway === null) return { status: 'unavailable', reason: 'the provider was not loaded' };
    return await overHttp(gateway, message, timeoutMs);
  } catch (error) {
    const status = error instanceof EncodingError ? 'unavailable' : 'unknown';
    return { status, reason: (error as Error).message };
  }
}

async function overHttp(
  { preset, prepared, transport, dispatcher }: NonNullable<Provider['gateway']>,
  message: Dispatch,
  timeoutMs: number,
): Promise<Outcome> {
  const result = await exchange(dispatcher, {
    origin: transport.origin,
    request: preset.request(message, prepared),
    timeoutMs: Math.min(timeoutMs, transport.timeoutMs),
    settled: (head) => preset.settled(head, prepared),
  });
  return result.answer === null ? unanswered(result) : preset.outcome(result.answer, prepared);
}

/** Not written: surely not accepted. Written: nobody knows. */
function unanswered({ written, error }: Extract<Exchange, { answer: null }>): Outcome {
  const code = (error as NodeJS.ErrnoException).code;
  const reason =
    code === undefined || error.message.includes(code) ? error.message : `${error.message} (${code})`;
  return { status: written ? 'unknown' : 'unavailable', reason };
}
