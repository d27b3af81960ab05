/** A moment for people: `said` beside now, `exact` and `iso` for who wants to know. */
export interface When {
  iso: string;
  said: string;
  exact: string;
}

const units = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
] as const;

const monthMs = 30 * 86_400_000;

/** The zone of the reader is not known here, so what is exact names its own. */
export function whenOf(at: Date, now: Date, locale: string): When {
  const ms = at.getTime() - now.getTime();
  const [unit, size] = units.find(([, size]) => Math.abs(ms) >= size) ?? ['second', 1000];
  const recently = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' });
  const format = (options: Intl.DateTimeFormatOptions) =>
    new Intl.DateTimeFormat(locale, { ...options, timeZone: 'UTC' }).format(at);
  return {
    iso: at.toISOString(),
    said:
      Math.abs(ms) >= monthMs
        ? format({ dateStyle: 'long' })
        : recently.format(unit === 'second' ? 0 : Math.trunc(ms / size), unit),
    exact: `${format({ dateStyle: 'medium', timeStyle: 'short' })} UTC`,
  };
}
