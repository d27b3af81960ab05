import { createHash } from 'node:crypto';
import { secretsMatch } from '../../lib/secrets.ts';
import { priceOf } from '../vendor/reports.ts';
import type { Call, FailureClass, Receipt, ReceiptReader, ReceiptState, Reply } from './contract.ts';

/*
 * Webhooks of Vonage: delivery receipts of the SMS API, status of the Messages API, events of the Voice API, and incoming
 * messages. Signature: https://developer.vonage.com/en/getting-started/concepts/webhooks#decoding-signed-webhooks;
 * states: https://developer.vonage.com/en/messaging/sms/guides/delivery-receipts, /en/messages/code-snippets/message-status,
 * /en/voice/voice-api/webhook-reference.
 */

const states = new Map(
  Object.entries<ReceiptState>({
    ...{ accepted: 'sent', buffered: 'sent', submitted: 'sent', delivered: 'delivered', read: 'read' },
    ...{ expired: 'failed', failed: 'failed', rejected: 'failed', undeliverable: 'failed' },
    ...{ ringing: 'sent', answered: 'sent', completed: 'delivered' },
    ...{ busy: 'failed', timeout: 'failed', unanswered: 'failed', cancelled: 'failed' },
  }),
);

/** By the SMS API's `err-code`, else by the state. */
const failures = new Map(
  Object.entries<FailureClass>({
    ...{ 2: 'unreachable', 3: 'number', 4: 'blocked', 6: 'blocked', 7: 'unreachable', 9: 'number' },
    ...{ 12: 'unreachable', 13: 'blocked', 14: 'blocked', 15: 'blocked' },
    ...{ expired: 'unreachable', busy: 'unreachable', timeout: 'unreachable', unanswered: 'unreachable' },
  }),
);

/** Older calls are not taken: whoever has overheard one cannot use it for ever. */
const MAX_AGE_SECONDS = 5 * 60;

type Members = Record<string, unknown>;

/** The SMS API may call by GET, and then says the same in the address. */
const membersOf = ({ content, method, query }: Call): Members => {
  if (method === 'GET') return query;
  return typeof content === 'object' && content !== null ? (content as Members) : {};
};

const textOf = (value: unknown): string | null =>
  typeof value === 'string' || typeof value === 'number' ? String(value) : null;

export interface VonageSigning<Prepared> {
  /** Null where it was not given. */
  signatureSecret(prepared: Prepared): string | null;
  /** False for the SMS API, whose receipts come without a token. */
  always: boolean;
}

export function vonageReceipts<Prepared>({
  always,
  signatureSecret,
}: VonageSigning<Prepared>): ReceiptReader<Prepared> {
  return {
    async signed(call, prepared, now) {
      const secret = signatureSecret(prepared);
      const [scheme = '', token = ''] = (call.headers.authorization ?? '').split(' ');
      if (secret === null) return null;
      if (scheme.toLowerCase() !== 'bearer') return always ? false : null;
      const signed = await isSigned(call, token, secret, now);
      // Of a call by GET the token names the body, which is empty, and not what the address says.
      return signed && call.method === 'GET' ? null : signed;
    },

    receipts(call) {
      const members = membersOf(call);
      const status = textOf(members.status) ?? '';
      const state = states.get(status);
      if (state === undefined) return [];
      const code = textOf(members['err-code']) ?? status;
      const failure = state === 'failed' ? (failures.get(code) ?? failures.get(status) ?? 'gateway') : null;
      const messageId = textOf(members['client-ref']) ?? textOf(members.client_ref);
      const gatewayId = textOf(members.messageId) ?? textOf(members.message_uuid) ?? textOf(members.uuid);
      // Prices are in euros where no currency stands beside them. Of a long text each part has its own.
      const usage = (members.usage ?? {}) as Members;
      const price =
        priceOf(textOf(usage.price), textOf(usage.currency)) ?? priceOf(textOf(members.price), 'EUR');
      return [{ messageId, gatewayId, state, failure, ...(price && { price }) } satisfies Receipt];
    },

    replies(call) {
      const members = membersOf(call);
      const from = textOf(members.msisdn) ?? textOf(members.from);
      const text = textOf(members.text);
      return from === null || text === null ? [] : [{ from, text } satisfies Reply];
    },
  };
}

/** The token names the body by its hash: it stands for this body only. */
async function isSigned(call: Call, token: string, secret: string, now: Date): Promise<boolean> {
  const { jwtVerify } = await import('jose');
  try {
    const { payload } = await jwtVerify(token, new TextEncoder().encode(secret), {
      ...{ algorithms: ['HS256'], requiredClaims: ['iat', 'payload_hash'] },
      ...{ maxTokenAge: MAX_AGE_SECONDS, currentDate: now, clockTolerance: 30 },
    });
    const hash = createHash('sha256').update(call.body).digest('hex');
    return secretsMatch(hash, String(payload.payload_hash).toLowerCase());
  } catch {
    return false;
  }
}
