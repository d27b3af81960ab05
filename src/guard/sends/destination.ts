import { keeping } from '../../lib/memo.ts';
import { parsePhoneNumber } from '../../lib/phone-numbers.ts';

export const numberTypes = [
  'premium',
  'shared-cost',
  'pager',
  'toll-free',
  'satellite',
  'voip',
  'personal',
  'uan',
  'voicemail',
  'fixed',
] as const;

export type NumberType = (typeof numberTypes)[number];

/** What is known of a number by itself. */
export interface Destination {
  /** ISO 3166; null where the code belongs to no country. */
  readonly country: string | null;
  /** Null: mobile, or unknown. */
  readonly type: NumberType | null;
  /** All but the last four digits; never kept in clear. */
  readonly prefix: string;
  /** As much as a record may show: the country's code and two digits. */
  readonly masked: string;
}

const typesOfLibrary: Record<string, NumberType> = {
  PREMIUM_RATE: 'premium',
  SHARED_COST: 'shared-cost',
  PAGER: 'pager',
  TOLL_FREE: 'toll-free',
  VOIP: 'voip',
  PERSONAL_NUMBER: 'personal',
  UAN: 'uan',
  VOICEMAIL: 'voicemail',
  FIXED_LINE: 'fixed',
};

/** Inmarsat, global mobile satellite systems, and the satellite networks among +882 (ITU-T E.164, list of codes). */
const satellite = /^\+(870|881|88213|88216)/;
const premiumInternational = /^\+979/;
const sharedCostInternational = /^\+808/;
const lastDigits = 4;

/** Null for what is no phone number (an e-mail address): rules about destinations do not look at it. */
export const destinationOf = keeping((to: string): Destination | null => {
  if (!/^\+\d{5,15}$/.test(to)) return null;
  const number = parsePhoneNumber(to);
  const code = number?.countryCallingCode ?? to.slice(1, 4);
  return {
    country: number?.country ?? number?.getPossibleCountries()[0] ?? null,
    type: specialType(to) ?? typesOfLibrary[number?.getType() ?? ''] ?? null,
    prefix: to.slice(0, -lastDigits),
    masked: to.slice(0, 1 + code.length + 2),
  };
});

function specialType(to: string): NumberType | null {
  if (satellite.test(to)) return 'satellite';
  if (premiumInternational.test(to)) return 'premium';
  return sharedCostInternational.test(to) ? 'shared-cost' : null;
}
