import type { SettingSection } from '../config/types.ts';
import { durationFault, durationPattern, parseDuration } from '../lib/duration.ts';
import type { Fault } from '../lib/problem.ts';
import { Type } from '../lib/schema.ts';

/** The member `guard` of gateway.yaml, defaults filled in. */
export interface GuardDocument {
  /** Lists like `5 in 10m`; an empty list is no limit. */
  sends: { perNumber: string[]; perUser: string[]; perAddress: string[] };
  passwords: {
    perAccount: number;
    perDevice: number;
    perAddress: number;
    firstWait: string;
    longestWait: string;
  };
  locks: { after: number; first: string; longest: string; consecutive: number };
}

/** At most so many in any stretch of time of this length. */
export interface Limit {
  count: number;
  withinMs: number;
}

const limits = (what: string, ...standard: string[]) =>
  Type.Array(Type.String({ pattern: `^[1-9][0-9]{0,2} in ${durationPattern.slice(1)}` }), {
    default: standard,
    maxItems: 5,
    description: `${what}, each as “5 in 10m”. An empty list is no limit.`,
  });

const count = (standard: number, minimum: number, maximum: number, description: string) =>
  Type.Integer({ default: standard, minimum, maximum, description });

const duration = (standard: string, description: string) =>
  Type.String({ default: standard, pattern: durationPattern, description });

const group = <T extends Parameters<typeof Type.Object>[0]>(members: T) =>
  Type.Partial(Type.Object(members), { additionalProperties: false, default: {} });

const schema = group({
  sends: group({
    perNumber: limits('Messages to one number', '1 in 30s', '5 in 10m', '10 in 1d'),
    perUser: limits('Messages to one user', '10 in 1h'),
    perAddress: limits('Messages asked for from one network address whose code was never typed', '20 in 1h'),
  }),
  passwords: group({
    perAccount: count(5, 1, 100, 'Wrong passwords for one account before there is a wait.'),
    perDevice: count(10, 1, 100, 'The same for a browser that the user has signed in with before.'),
    perAddress: count(50, 1, 100_000, 'Wrong passwords from one network address before there is a wait.'),
    firstWait: duration('5s', 'The first wait; it doubles with each further wrong password.'),
    longestWait: duration('15m', 'The longest wait.'),
  }),
  locks: group({
    after: count(5, 2, 20, 'Wrong codes of one kind that lock this kind for the user.'),
    first: duration('5m', 'The first lock; it doubles each time.'),
    longest: duration('1d', 'The longest lock that ends by itself.'),
    consecutive: count(
      100,
      5,
      100,
      'Wrong tries in a row, however far apart, after which only an administrator or a recovery opens again.',
    ),
  }),
});

/** The member `guard` of gateway.yaml. */
export const guardSection: SettingSection = {
  kind: 'setting',
  member: 'guard',
  schema,
  check(value) {
    const { sends, passwords, locks } = value as GuardDocument;
    const faults: (Fault | null)[] = [
      durationFault('passwords.firstWait', passwords.firstWait, '1s', passwords.longestWait),
      durationFault('passwords.longestWait', passwords.longestWait, '1s', '1d'),
      durationFault('locks.first', locks.first, '1s', locks.longest),
      durationFault('locks.longest', locks.longest, '1s', '365d'),
    ];
    for (const [name, list] of Object.entries(sends)) {
      for (const [at, written] of list.entries()) {
        faults.push(durationFault(`sends.${name}[${at}]`, written.split(' in ')[1] ?? '', '1s', '30d'));
      }
    }
    return faults.filter((fault) => fault !== null);
  },
};

/** Reads `5 in 10m`. */
export function parseLimit(written: string): Limit {
  const [count = '', within = ''] = written.split(' in ');
  return { count: Number(count), withinMs: parseDuration(within) };
}
