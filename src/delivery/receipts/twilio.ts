import { createHmac } from 'node:crypto';
import { secretsMatch } from '../../lib/secrets.ts';
import type { Call, FailureClass, Receipt, ReceiptReader, ReceiptState } from './contract.ts';

/*
 * Status callbacks and incoming messages of Twilio. Signature: https://www.twilio.com/docs/usage/security
 * (“Validating Signatures from Twilio”); states and error codes: https://www.twilio.com/docs/messaging/guides/outbound-message-status-in-status-callbacks,
 * https://www.twilio.com/docs/voice/api/call-resource#statuscallbackevent.
 */

const states = new Map(
  Object.entries<ReceiptState>({
    ...{ sending: 'sent', sent: 'sent', delivered: 'delivered', read: 'read' },
    ...{ undelivered: 'failed', failed: 'failed' },
    ...{ ringing: 'sent', 'in-progress': 'sent', completed: 'delivered' },
    ...{ busy: 'failed', 'no-answer': 'failed', canceled: 'failed' },
  }),
);

const failures = new Map(
  Object.entries<FailureClass>({
    ...{ 30003: 'unreachable', 30004: 'blocked', 30005: 'number', 30006: 'number', 30007: 'blocked' },
    ...{ 21211: 'number', 21610: 'blocked', 21614: 'number', 63024: 'number' },
    ...{ busy: 'unreachable', 'no-answer': 'unreachable' },
  }),
);

/** The members of a form; Twilio sends nothing else here, and a stranger anything. */
const membersOf = ({ content }: Call): Record<string, string> =>
  Object.fromEntries(
    Object.entries(content ?? {}).filter(
      (member): member is [string, string] => typeof member[1] === 'string',
    ),
  );

/** Over the address as Twilio was given it, and every member of the form behind each other by name. */
export function twilioSignature(authToken: string, url: string, members: Record<string, string>): string {
  const data = Object.keys(members)
    .sort()
    .map((name) => name + members[name])
    .join('');
  return createHmac('sha1', authToken)
    .update(url + data)
    .digest('base64');
}

/** Receipts for presets that speak to Twilio. `authToken`: null where an API key is used instead, which signs nothing. */
export function twilioReceipts<Prepared>(
  authToken: (prepared: Prepared) => string | null,
): ReceiptReader<Prepared> {
  return {
    signed(call, prepared) {
      const token = authToken(prepared);
      if (token === null) return null;
      const given = call.headers['x-twilio-signature'] ?? '';
      // For some products it signs the address with its port written out.
      const { host, port, protocol } = new URL(call.url);
      const withPort = call.url.replace(host, `${host}:${protocol === 'https:' ? 443 : 80}`);
      const urls = port === '' ? [call.url, withPort] : [call.url];
      return urls.some((url) => secretsMatch(twilioSignature(token, url, membersOf(call)), given));
    },

    receipts(call) {
      const members = membersOf(call);
      const status = members.MessageStatus ?? members.SmsStatus ?? members.CallStatus ?? '';
      // A call that failed was never made; of a message the code says why.
      const state = states.get(status);
      if (state === undefined) return [];
      const code = members.ErrorCode ?? status;
      const failure = state === 'failed' ? (failures.get(code) ?? 'gateway') : null;
      const gatewayId = members.MessageSid ?? members.SmsSid ?? members.CallSid ?? null;
      return [{ messageId: null, gatewayId, state, failure } satisfies Receipt];
    },

    replies(call) {
      const { Body, From } = membersOf(call);
      return Body === undefined || From === undefined ? [] : [{ from: From, text: Body }];
    },
  };
}
