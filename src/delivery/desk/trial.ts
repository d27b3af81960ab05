import { newId } from '../../lib/ids.ts';
import { parsePhoneNumber } from '../../lib/phone-numbers.ts';
import { Problem } from '../../lib/problem.ts';
import { attemptShown } from '../attempt.ts';
import { closeAfterTrial } from '../breaker/breakers.ts';
import { isSecretName } from '../http/hide.ts';
import { MASK, maskSecrets } from '../mask.ts';
import { createEgress } from '../network/egress.ts';
import { type Dispatch, type GatewayRequest, isHttp } from '../preset.ts';
import { presets } from '../presets/index.ts';
import { openProvider, type Provider, sealDocument } from '../providers.ts';
import { receiptAddress } from '../receipts/address.ts';
import { presetOf, refused } from '../section.ts';
import type { ProviderRow } from '../store.ts';
import type { Channel } from '../types.ts';
import type { DeskDeps } from './deps.ts';
import { errorsOf, findRow, judge } from './save.ts';

/** What is tried out: a provider as it is saved, or a document for it that nobody has saved yet. */
export interface TrialOf {
  id: string;
  /** Where this says `${stored}`, secrets are used only on the host that they were meant for. */
  document?: Record<string, unknown>;
  /** E.164, or an address. */
  to: string;
  text?: string;
}

/** A request as it would go out, secrets masked. */
export interface DryRun {
  method: string;
  url: string;
  headers: [name: string, value: string][];
  body: string | null;
}

/** What became of a message that was really sent. */
export interface TestResult {
  outcome: 'accepted' | 'rejected' | 'unavailable' | 'unknown';
  reason: string | null;
  gatewayId: string | null;
  tookMs: number;
  /** Masked; null when none came, or the provider is not spoken to over HTTP. */
  answer: { status: number; body: string } | null;
}

const TRIAL_MS = 10_000;
/** No code that anybody has been asked for. */
const sampleCode = '123456';
const sampleText = `This is a test message. ${sampleCode} is no real code.`;

/** Writes the request that this provider would send. Sends nothing, fetches no token. */
export function dryRun(deps: DeskDeps, given: TrialOf): Promise<DryRun> {
  return withProvider(deps, given, async (provider, message) => {
    const { gateway, broken } = provider;
    if (broken !== null) throw unusable(broken);
    if (gateway === null || !isHttp(provider.preset))
      throw unusable('it sends no HTTP request that could be shown');
    const { preset, prepared, transport } = gateway;
    const tools = { db: deps.storage.db, crypto: deps.crypto, now: deps.clock.now() };
    const plain = await preset.request(message, prepared, tools);
    const request = preset.authorizer?.(prepared)?.preview(plain) ?? plain;
    return masked(request, transport);
  });
}

function masked(request: GatewayRequest, { origin, secrets }: { origin: string; secrets: string[] }): DryRun {
  const mask = (text: string) => maskSecrets(text, secrets);
  return {
    method: request.method,
    url: mask(`${origin}${request.path}`),
    headers: request.headers.map(([name, value]) => [
      name,
      isSecretName(name) ? hideCredential(value) : mask(value),
    ]),
    body: request.body === null ? null : mask(request.body),
  };
}

/** The scheme tells what kind of credential is sent. */
const hideCredential = (value: string): string => {
  const scheme = /^([A-Za-z]+) ./.exec(value)?.[1];
  return scheme === undefined ? MASK : `${scheme} ${MASK}`;
};

/**
 * Sends one message by this provider and no other, outside the life of messages. It is on record. One that was left alone
 * and takes the message is asked again.
 */
export function testSend(deps: DeskDeps, given: TrialOf): Promise<TestResult> {
  return withProvider(deps, given, async (provider, message) => {
    const { storage, crypto, clock, audit } = deps;
    const tools = { db: storage.db, crypto, now: clock.now() };
    const started = performance.now();
    const { outcome, answer } = await attemptShown(provider, message, TRIAL_MS, tools);
    const tookMs = Math.round(performance.now() - started);
    const { status } = outcome;
    await audit.record(storage.db, clock.now(), [
      { name: 'provider.tested', result: status, data: { provider: provider.id, channel: provider.channel } },
    ]);
    // What was tried may be another document than the one that failed.
    if (status === 'accepted' && given.document === undefined) {
      await closeAfterTrial(deps, provider.id, clock.now());
    }
    return {
      outcome: status,
      reason: status === 'accepted' ? null : outcome.reason,
      gatewayId: status === 'accepted' ? outcome.gatewayId : null,
      ...{ tookMs, answer },
    };
  });
}

async function withProvider<T>(
  deps: DeskDeps,
  given: TrialOf,
  work: (provider: Provider, message: Dispatch) => Promise<T>,
): Promise<T> {
  const row = given.document === undefined ? await findRow(deps, given.id) : await draftRow(deps, given);
  const opened = openProvider({ ...deps, presets, egress: deps.egress ?? createEgress }, row);
  try {
    if (opened.provider === null) throw unusable(`there is no preset ${row.preset}`);
    return await work(opened.provider, messageFor(deps, opened.provider, given));
  } finally {
    await opened.close();
  }
}

/** A document that nobody has saved, as if it had been. */
async function draftRow(deps: DeskDeps, { id, document: given = {} }: TrialOf): Promise<ProviderRow> {
  const { document, row, findings } = await judge(deps, deps.storage.db, { ...given, id });
  const errors = errorsOf(findings);
  if (errors.length > 0 || presetOf(document.preset) === undefined) throw refused(errors);
  const now = deps.clock.now();
  return {
    ...{
      id,
      channel: document.channel,
      preset: document.preset,
      position: row?.position ?? 0,
      enabled: true,
    },
    ...{ document_sealed: sealDocument(deps.crypto, document), created_at: now, updated_at: now },
  };
}

function messageFor(
  { crypto, issuer }: DeskDeps,
  provider: Provider,
  { to, text = sampleText }: TrialOf,
): Dispatch {
  checkDestination(provider.channel, to);
  const id = newId('msg');
  return {
    ...{ id, channel: provider.channel, to, text, code: sampleCode, locale: 'en', app: null, user: null },
    from: provider.from,
    callback: receiptAddress({ crypto, issuer }, provider.id, id),
  };
}

function checkDestination(channel: Channel, to: string): void {
  if (channel === 'email') {
    if (/^[^\s@]+@[^\s@]+$/.test(to)) return;
    throw refused([{ path: 'to', message: 'must be an e-mail address' }]);
  }
  if (/^\+[1-9]\d{6,14}$/.test(to) && parsePhoneNumber(to) !== undefined) return;
  throw refused([{ path: 'to', message: 'must be a phone number with its country: +447700900123' }]);
}

const unusable = (reason: string): Problem =>
  new Problem({
    ...{ status: 409, code: 'provider_unusable', message: `The provider cannot be tried: ${reason}.` },
  });
