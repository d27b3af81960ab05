import type { Crypto } from '../../crypto/types.ts';

/**
 * Where a gateway may report what became of a message. It carries our signature of provider and message, so that who
 * calls it was told the address: for gateways that sign nothing that is all there is.
 */
export function receiptAddress(
  { crypto, issuer }: { crypto: Crypto; issuer: URL },
  providerId: string,
  messageId: string,
): string {
  const query = new URLSearchParams({
    message: messageId,
    s: crypto.mac('receipt', providerId, messageId),
  });
  return new URL(`/receipts/${encodeURIComponent(providerId)}?${query}`, issuer).href;
}

/** The message that the address was made for; null when it was not made here. */
export function addressedMessage(
  crypto: Crypto,
  providerId: string,
  { message = '', s = '' }: Record<string, string>,
): string | null {
  return crypto.verifyMac(s, 'receipt', providerId, message) ? message : null;
}
