/** The alphabet of GSM 03.38 with its extension table: what one septet, or two, can carry. */
const alphabet = new Set(
  '@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà\f^{}\\[~]|€',
);

/** Whether a text message can be sent in the alphabet of GSM 03.38; otherwise it needs UCS-2 and takes more room. */
export function isGsm7(text: string): boolean {
  for (const char of text) if (!alphabet.has(char)) return false;
  return true;
}
