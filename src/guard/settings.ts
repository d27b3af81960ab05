import type { SettingSection } from '../config/types.ts';
import type { Crypto } from '../crypto/types.ts';
import { durationFault, durationPattern } from '../lib/duration.ts';
import type { Fault } from '../lib/problem.ts';
import { Type } from '../lib/schema.ts';
import { type AlertsDocument, alertsFaults, alertsSchema } from './alerts.ts';
import { type ChallengeDocument, challengeSchema } from './challenge.ts';
import { type LookupDocument, lookupFaults, lookupSchema } from './lookups/settings.ts';
import { type SendsDocument, sendsFaults, sendsSchema } from './sends/settings.ts';

/** The member `guard` of gateway.yaml, defaults filled in. */
export interface GuardDocument {
  sends: SendsDocument;
  challenge: ChallengeDocument;
  alerts: AlertsDocument;
  lookup: LookupDocument;
  passwords: {
    perAccount: number;
    perDevice: number;
    perAddress: number;
    firstWait: string;
    longestWait: string;
  };
  locks: { after: number; first: string; longest: string; consecutive: number };
}

const count = (standard: number, minimum: number, maximum: number, description: string) =>
  Type.Integer({ default: standard, minimum, maximum, description });

const duration = (standard: string, description: string) =>
  Type.String({ default: standard, pattern: durationPattern, description });

const group = <T extends Parameters<typeof Type.Object>[0]>(members: T) =>
  Type.Partial(Type.Object(members), { additionalProperties: false, default: {} });

const schema = group({
  sends: sendsSchema,
  challenge: challengeSchema,
  alerts: alertsSchema,
  lookup: lookupSchema,
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
export const guardSection = ({ crypto }: { crypto: Pick<Crypto, 'open' | 'seal'> }): SettingSection => ({
  kind: 'setting',
  member: 'guard',
  schema,
  secrets: {
    members: {
      'challenge.secret': 'challenge.kind',
      'alerts.secret': 'alerts.url',
      'lookup.secret': 'lookup.url',
    },
    seal: (plain) => crypto.seal('setting', plain, 'guard'),
    open: (sealed) => crypto.open('setting', sealed, 'guard'),
  },
  check(value) {
    const { alerts, challenge, lookup, sends, passwords, locks } = value as GuardDocument;
    const faults: (Fault | null)[] = [
      durationFault('passwords.firstWait', passwords.firstWait, '1s', passwords.longestWait),
      durationFault('passwords.longestWait', passwords.longestWait, '1s', '1d'),
      durationFault('locks.first', locks.first, '1s', locks.longest),
      durationFault('locks.longest', locks.longest, '1s', '365d'),
    ];
    faults.push(
      ...sendsFaults(sends),
      ...alertsFaults(alerts),
      ...lookupFaults(lookup),
      durationFault('challenge.wait', challenge.wait, '5s', '10m'),
    );
    for (const key of ['siteKey', 'secret'] as const) {
      if (challenge.kind !== 'proof-of-work' && challenge[key] === '') {
        faults.push({ path: `challenge.${key}`, message: `is required for ${challenge.kind}` });
      }
    }
    return faults.filter((fault) => fault !== null);
  },
});
