import type { Fault } from './problem.ts';

/** How a duration is written in configuration: a whole number and `s`, `m`, `h` or `d`. For JSON Schemas. */
export const durationPattern = '^(0|[1-9][0-9]{0,5})[smhd]$';

const wellFormed = new RegExp(durationPattern);

const units = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
] as const;

/** Milliseconds of `30s`, `5m`, `8h` or `30d`. Throws a RangeError for anything else. */
export function parseDuration(written: string): number {
  const unit = units.find(([letter]) => written.endsWith(letter));
  if (!unit || !wellFormed.test(written)) {
    throw new RangeError(
      `“${written}” is no duration: write a whole number and s, m, h or d, for instance 30s`,
    );
  }
  return Number(written.slice(0, -1)) * unit[1];
}

/** The shortest way to write so many milliseconds (rounded to whole seconds): 300 000 is `5m`. */
export function formatDuration(ms: number): string {
  const seconds = Math.round(ms / 1_000) * 1_000;
  const unit = units.find(([, size]) => seconds > 0 && seconds % size === 0);
  return unit ? `${seconds / unit[1]}${unit[0]}` : '0s';
}

/** A fault when a well-formed duration lies outside the bounds (both included), written like durations themselves. */
export function durationFault(path: string, written: string, min: string, max: string): Fault | null {
  const ms = parseDuration(written);
  if (ms >= parseDuration(min) && ms <= parseDuration(max)) return null;
  return { path, message: `must be between ${min} and ${max}, not ${written}` };
}
