import { InvalidArgumentError } from 'commander';
import { durationPattern, parseDuration } from '../../lib/duration.ts';

export function wholeNumber(written: string): number {
  if (/^[1-9][0-9]{0,8}$/.test(written)) return Number(written);
  throw new InvalidArgumentError('It must be a whole number.');
}

export function percent(written: string): number {
  if (/^[0-9]{1,2}(\.[0-9]{1,2})?$/.test(written) && Number(written) > 0) return Number(written);
  throw new InvalidArgumentError('It must be more than 0 and less than 100; leave it out for all browsers.');
}

export function duration(written: string): number {
  if (new RegExp(durationPattern).test(written)) return parseDuration(written);
  throw new InvalidArgumentError('Write a whole number and s, m, h or d, for instance 7d.');
}

export function pair(written: string, before: Record<string, string>): Record<string, string> {
  const at = written.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('Write name=value.');
  return { ...before, [written.slice(0, at)]: written.slice(at + 1) };
}

export const listed = (written: string, before: string[] = []): string[] => [...before, written];
