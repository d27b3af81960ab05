/** Reads `20 EUR`; the amount in millionths. */
export function parseMoney(written: string): { micros: number; currency: string } {
  const [amount = '', currency = ''] = written.split(' ');
  return { micros: Math.round(Number(amount) * 1_000_000), currency };
}
