import { createHmac } from 'node:crypto';

const secretPattern = /^(?:whsec_)?([A-Za-z0-9+/]+={0,2})$/;

/**
 * The key of a secret as Standard Webhooks write it: base64, with or without `whsec_` before it. Null when it is none, or
 * not of the 24 to 64 bytes that they demand.
 */
export function webhookKey(secret: string): Buffer | null {
  const encoded = secretPattern.exec(secret)?.[1];
  const key = encoded === undefined ? null : Buffer.from(encoded, 'base64');
  return key !== null && key.length >= 24 && key.length <= 64 ? key : null;
}

/**
 * The headers that sign a webhook: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 *
 * @param id of what is told, the same when it is told again; without a full stop, which separates the signed parts
 */
export function signWebhook(
  key: Buffer,
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
