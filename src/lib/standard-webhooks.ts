import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto';

const secretPattern = /^(?:whsec_)?([A-Za-z0-9+/]+={0,2})$/;

/**
 * The key of a secret as Standard Webhooks write it: base64, with or without `whsec_` before it. Null when it is none, or
 * not of the 24 to 64 bytes that they demand.
 */
export function webhookKey(secret: string): KeyObject | null {
  const encoded = secretPattern.exec(secret)?.[1];
  const key = encoded === undefined ? null : Buffer.from(encoded, 'base64');
  return key !== null && key.length >= 24 && key.length <= 64 ? createSecretKey(key) : null;
}

/**
 * The headers that sign a webhook: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 *
 * @param id of what is told, the same when it is told again; without a full stop, which separates the signed parts
 */
export function signWebhook(
  key: KeyObject,
  id: string,
  body: string,
  now: Date,
): [name: string, value: string][] {
  const timestamp = Math.floor(now.getTime() / 1_000);
  const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`, 'utf8').digest('base64');
  return [
    ['webhook-id', id],
    ['webhook-timestamp', String(timestamp)],
    ['webhook-signature', `v1,${signature}`],
  ];
}

/** How old a signature may be, and how far our clocks may differ. */
const TOLERANCE_SECONDS = 5 * 60;

/** Whether the webhook is signed with the key, and now. `headers`: names in lower case. */
export function verifyWebhook(
  key: KeyObject,
  headers: Record<string, string>,
  body: Buffer,
  now: Date,
): boolean {
  const { 'webhook-id': id = '', 'webhook-timestamp': timestamp = '' } = headers;
  const age = Math.abs(now.getTime() / 1_000 - Number(timestamp));
  if (id === '' || !/^\d{1,12}$/.test(timestamp) || age > TOLERANCE_SECONDS) return false;
  const expected = createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest();
  // Several stand there while a key is replaced by another.
  return (headers['webhook-signature'] ?? '').split(' ').some((given) => {
    const signature = Buffer.from(given.startsWith('v1,') ? given.slice(3) : '', 'base64');
    return signature.length === expected.length && timingSafeEqual(signature, expected);
  });
}
