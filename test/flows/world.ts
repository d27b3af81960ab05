import type { Candidate } from '../../src/config/types.ts';
import { flowFaults } from '../../src/flows/documents/checks.ts';
import { type OptionDocument, readFlow, type StepDocument } from '../../src/flows/documents/schema.ts';
import { type Facts, firstState, type LoginState } from '../../src/flows/engine/state.ts';
import { methods } from '../../src/flows/methods/index.ts';
import type { Flow } from '../../src/flows/types.ts';
import type { Factor } from '../../src/sessions/types.ts';
import type { User } from '../../src/users/types.ts';

/** Facts for the pure engine: users of every kind, sessions of every kind, flows of every shape. */

export const now = 1_700_000_000_000;
export const minute = 60_000;

export const userOf = (members: Partial<User> = {}): User => ({
  ...{ id: 'usr_1', username: 'ada', name: 'Ada', email: null, emailVerified: false },
  ...{
    phone: '+15005550006',
    phoneVerified: true,
    secondPhone: null,
    codeOff: false,
    codeOffUntil: null,
    disabled: false,
  },
  ...{ recoveredAt: null, recoveredBy: null, deleteAt: null },
  ...{
    groups: [],
    attributes: {},
    createdAt: new Date(now - 1000 * minute),
    hasPassword: true,
    passwordChangedAt: null,
    backupCodes: 0,
  },
  ...members,
});

/** What is true of a person, as far as a flow can tell. */
export interface Kind {
  user: User;
  backupCodes: number;
  /** Has an authenticator app. */
  totp?: boolean;
}

export const kinds: Kind[] = [
  { user: userOf(), backupCodes: 0 },
  { user: userOf(), backupCodes: 3 },
  { user: userOf({ codeOff: true }), backupCodes: 0 },
  { user: userOf({ codeOff: true }), backupCodes: 1 },
  { user: userOf({ phone: null, phoneVerified: false }), backupCodes: 0 },
  { user: userOf({ phone: null, phoneVerified: false }), backupCodes: 3 },
  { user: userOf({ phone: null, phoneVerified: false, codeOff: true }), backupCodes: 0 },
  { user: userOf({ hasPassword: false }), backupCodes: 3 },
  { user: userOf({ disabled: true }), backupCodes: 3 },
  { user: userOf({ groups: ['staff'] }), backupCodes: 0, totp: true },
  { user: userOf({ groups: ['staff'], codeOff: true, phone: null, phoneVerified: false }), backupCodes: 0 },
];

export const factor = (method: string, ageMs: number): Factor => {
  const known = methods.get(method);
  if (!known) throw new Error(method);
  return { method, kind: known.kind, amr: [...known.amr], at: now - ageMs };
};

export const factsOf = (kind: Kind | null, session: Facts['session'] = null, at = now): Facts => ({
  now: at,
  methods,
  person: kind && { user: kind.user, own: { 'backup-code': kind.backupCodes, totp: kind.totp ? [6] : [] } },
  session,
});

export const begun = (members: Partial<Parameters<typeof firstState>[0]> = {}): LoginState =>
  firstState({ subject: null, counts: false, maxAgeMs: null, acr: [], hint: null, ...members });

export const flowOf = (...steps: StepDocument[]): Flow => readFlow({ id: 'f', name: 'F', steps }, 'flv_1');

const loaded = (resolved: Record<string, unknown>) => ({ raw: resolved, resolved });

/** What else would be in force. */
const candidate: Candidate = {
  collection: (member) =>
    new Map(
      member === 'providers'
        ? [['main', loaded({ channel: 'sms' })]]
        : member === 'attributes'
          ? [['gone', loaded({ name: 'gone', type: 'number' })]]
          : [],
    ),
  setting: () => undefined,
};

/** The flow, or nothing when it would be refused at saving. */
export function validFlow(shapes: Omit<StepDocument, 'id'>[]): Flow | null {
  const steps = shapes.map((shape, index) => ({ ...shape, id: `s${index}` }));
  return flowFaults({ id: 'f', name: 'F', steps }, methods, candidate).length === 0 ? flowOf(...steps) : null;
}

const unavailable = ['fail', 'skip', 'enrol'] as const;

/** Every way in which a step can be written over the registered methods, as far as it matters to the engine. */
export const shapes: Omit<StepDocument, 'id'>[] = [
  ['identify'],
  ['password'],
  ['sms-otp'],
  ['sms-otp', 'backup-code'],
  ['password', 'sms-otp'],
  ['password', 'backup-code'],
  ['password', 'sms-otp', 'backup-code'],
].flatMap((options) =>
  unavailable.flatMap((onUnavailable) =>
    [false, true].flatMap((userMayDisable) => {
      const message = options.includes('sms-otp');
      const pointless = !message && (userMayDisable || onUnavailable === 'enrol');
      return pointless ? [] : [{ options, onUnavailable, userMayDisable }];
    }),
  ),
);

/** Conditions, each with its meaning written once more: undefined where it cannot be told. */
export const conditions: Record<
  string,
  (of: {
    user: User;
    facts: Facts;
    known: boolean | undefined;
    session: readonly Factor[];
  }) => boolean | undefined
> = {
  '"staff" in user.groups': ({ user }) => user.groups.includes('staff'),
  '!device.known': ({ known }) => (known === undefined ? undefined : !known),
  'request.country != "DE"': ({ facts: { request } }) =>
    request?.country ? request.country !== 'DE' : undefined,
  'app.id == "bank" || request.ip.inRange("10.0.0.0/8")': ({ facts: { app, request } }) => {
    const inside = request?.ip?.startsWith('10.');
    if (app?.id === 'bank' || inside) return true;
    return app && request?.ip ? false : undefined;
  },
  '!session.active || session.age > duration("5m")': ({ facts, session }) =>
    session.length === 0 || facts.now - Math.max(...session.map(({ at }) => at)) > 5 * minute,
  'user.attributes.gone > 3': () => undefined,
};

const second: OptionDocument[][] = [['sms-otp'], ['totp', 'backup-code'], ['sms-otp', 'totp', 'backup-code']];

/** Steps with exceptions, of every method that can follow a first factor. */
export const exceptions: Omit<StepDocument, 'id'>[] = second.flatMap((options) =>
  (['fail', 'skip'] as const).flatMap((onUnavailable) =>
    [undefined, ...Object.keys(conditions)].flatMap((when) =>
      [undefined, '30d'].map((remember) => ({
        ...{ options, onUnavailable, userMayDisable: options.includes('sms-otp') },
        ...(when !== undefined && { when }),
        ...(remember !== undefined && { remember }),
      })),
    ),
  ),
);

/** All flows of so many steps that can be saved. */
export function* flowsOf(length: number): Generator<Flow> {
  const chosen: Omit<StepDocument, 'id'>[] = [];
  function* extend(): Generator<Flow> {
    if (chosen.length === length) {
      const flow = validFlow(chosen);
      if (flow) yield flow;
      return;
    }
    for (const shape of shapes) {
      // Only a first step may establish the user, and only it identifies: the rest is refused at saving anyway.
      const first = shape.options.every((id) => methods.get(String(id))?.identifies);
      if (chosen.length === 0 ? !first : shape.options.includes('identify')) continue;
      chosen.push(shape);
      yield* extend();
      chosen.pop();
    }
  }
  yield* extend();
}
