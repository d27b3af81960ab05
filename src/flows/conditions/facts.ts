/** What is true when a condition is looked at. Absent: not known, so whoever needs it has no answer. */
export interface ConditionFacts {
  user: {
    groups: readonly string[];
    attributes: Readonly<Record<string, unknown>>;
    created: Date;
  };
  app: { id: string; firstParty: boolean } | undefined;
  request: { ip: string | null; userAgent: string | null; country: string | null } | undefined;
  device: { known: boolean } | undefined;
  session: { active: boolean; methods: readonly string[]; ageMs: number | null };
  /** What the application asked for, in the order of preference. */
  acr: readonly string[];
  now: Date;
}

/** The CEL type of a fact, or of each of its members. */
export type FactType = string | { [member: string]: FactType };

const timestamp = 'google.protobuf.Timestamp';
const duration = 'google.protobuf.Duration';
const names = 'list<string>';

/** Everything that a condition may name. `attributes`: what is known of their types. */
export const factTypes = (attributes: FactType): Record<string, FactType> => ({
  user: { groups: names, attributes, age: 'int', created: timestamp },
  app: { id: 'string', firstParty: 'bool' },
  request: { ip: 'string', userAgent: 'string', country: 'string' },
  device: { known: 'bool' },
  session: { active: 'bool', methods: names, age: duration },
  acr: names,
  now: timestamp,
});

/** A length of time as CEL has it. */
export type ToDuration = (ms: number) => unknown;

/** The facts as values of CEL. A fact that is not known is a member that is not there. */
export function factValues(facts: ConditionFacts, toDuration: ToDuration): Record<string, unknown> {
  const { acr, app, device, now, request, session, user } = facts;
  const age = ageOf(user.attributes.birthdate, now);
  return {
    user: { ...user, ...(age !== null && { age: BigInt(age) }) },
    ...(app && { app }),
    ...(request && {
      request: {
        ...(request.ip !== null && { ip: request.ip }),
        ...(request.userAgent !== null && { userAgent: request.userAgent }),
        ...(request.country !== null && { country: request.country }),
      },
    }),
    ...(device && { device }),
    session: {
      active: session.active,
      methods: session.methods,
      ...(session.ageMs !== null && { age: toDuration(session.ageMs) }),
    },
    acr,
    now,
  };
}

const date = /^(\d{4})-(\d{2})-(\d{2})$/;

/**
 * Whole years since a day written as `1990-02-28`, in UTC; null for anything else. Who was born on a 29th of February
 * is a year older on the 1st of March.
 */
export function ageOf(birthdate: unknown, now: Date): number | null {
  const [, year, month, day] = (typeof birthdate === 'string' ? date.exec(birthdate) : null) ?? [];
  if (year === undefined || Number.isNaN(Date.parse(`${birthdate}T00:00:00Z`))) return null;
  const today = (now.getUTCMonth() + 1) * 100 + now.getUTCDate();
  const had = today >= Number(month) * 100 + Number(day);
  const age = now.getUTCFullYear() - Number(year) - (had ? 0 : 1);
  return age < 0 ? null : age;
}
