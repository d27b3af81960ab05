import { getCountries, getCountryCallingCode } from '../../lib/phone-numbers.ts';

const byLocale = new Map<string, { value: string; label: string }[]>();
/** As many as there could sensibly be translations; requests may name any tag. */
const maxLocales = 20;

/** Countries that have phone numbers, named in the reader's language and in its order: “Germany (+49)”. */
export function countryChoices(locale: string): { value: string; label: string }[] {
  const known = byLocale.get(locale);
  if (known) return known;
  const names = new Intl.DisplayNames([locale, 'en'], { type: 'region' });
  const choices = getCountries()
    .map((value) => ({ value, label: `${names.of(value) ?? value} (+${getCountryCallingCode(value)})` }))
    .sort((a, b) => a.label.localeCompare(b.label, locale));
  if (byLocale.size < maxLocales) byLocale.set(locale, choices);
  return choices;
}
