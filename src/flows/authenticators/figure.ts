import { text } from '../../lib/texts.ts';
import type { Figure } from '../types.ts';
import { qrCode } from './qr-code.ts';
import { seedForTyping, type TotpParameters, totpAddress, totpDefaults } from './totp.ts';

/** Of a flow's option, or as they were kept when an app was set up. */
export const parametersOf = ({ algorithm, digits, period }: Partial<TotpParameters>): TotpParameters => ({
  digits: digits ?? totpDefaults.digits,
  period: period ?? totpDefaults.period,
  algorithm: algorithm ?? totpDefaults.algorithm,
});

/** What an authenticator app takes a seed from. `account` tells several of one issuer apart in its list. */
export async function authenticatorFigure(
  seed: string,
  parameters: TotpParameters,
  names: { issuer: string; account: string },
): Promise<Figure> {
  const href = await totpAddress(seed, parameters, names);
  return {
    ...{ href, ...(await qrCode(href)) },
    alt: text('totp.picture'),
    open: text('totp.open'),
    typing: { label: text('totp.key'), value: seedForTyping(seed) },
  };
}
