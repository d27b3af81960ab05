import type { Factor } from '../../sessions/types.ts';

/** Names of what a login amounted to, as `acr` in ID tokens. */
export const acrNames = {
  one: 'urn:sallyport:acr:1',
  two: 'urn:sallyport:acr:2',
  phishingResistant: 'urn:sallyport:acr:2-phr',
} as const;

/** For developers: what each `acr` promises, the weakest first. */
export const acrMeanings: Record<string, string> = {
  [acrNames.one]: 'one factor, or several of one kind',
  [acrNames.two]: 'two factors of different kinds, such as a password and a code',
  [acrNames.phishingResistant]: 'a passkey that verified its user',
};

/**
 * True when the application's first wish in `acr_values` is two different kinds of factor. Wishes that mean nothing here
 * are passed over.
 */
export function wantsTwo(acr: readonly string[]): boolean {
  const wish = acr.find((one) => Object.hasOwn(acrMeanings, one));
  return wish === acrNames.two || wish === acrNames.phishingResistant;
}

/**
 * What a factor proves. E-mail and magic links arrive wherever the mailbox is open and are no possession
 * (NIST SP 800-63B, 5.1.3.1); a backup code counts as something one has.
 */
function proofOf(factor: Factor): 'knowledge' | 'possession' | 'inherence' | null {
  if (factor.method.startsWith('email-')) return null;
  if (factor.kind === 'recovery') return 'possession';
  return factor.kind === 'identify' ? null : factor.kind;
}

/** `amr` and `acr` of factors: in the order passed, `mfa` last when two different kinds are among them. */
export function describe(factors: readonly Factor[]): { acr: string; amr: string[] } {
  const ordered = [...factors].sort((a, b) => a.at - b.at);
  const amr = [...new Set(ordered.flatMap((factor) => factor.amr))];
  const proofs = new Set(ordered.map(proofOf).filter((proof) => proof !== null));
  // RFC 8176: a key in hardware or software, with the user verified by it, is two kinds in one.
  const phishingResistant = ordered.some(
    ({ amr: own }) => (own.includes('hwk') || own.includes('swk')) && own.includes('user'),
  );
  if (proofs.size > 1 || phishingResistant) amr.push('mfa');
  if (phishingResistant) return { acr: acrNames.phishingResistant, amr };
  return { acr: proofs.size > 1 ? acrNames.two : acrNames.one, amr };
}
