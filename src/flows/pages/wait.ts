import { type Text, text } from '../../lib/texts.ts';

/**
 * A sentence with the time left as `count`: `<key>` speaks of minutes, `<key>Seconds` of seconds when less than a
 * minute and a half is left. Rounded up, so that nobody comes back too early.
 */
export function untilText(key: string, until: Date, now: Date): Text {
  const seconds = Math.max(1, Math.ceil((until.getTime() - now.getTime()) / 1000));
  return seconds <= 90
    ? text(`${key}Seconds`, { count: seconds })
    : text(key, { count: Math.ceil(seconds / 60) });
}
