import { flowFaults } from '../../src/flows/documents/checks.ts';
import { readFlow, type StepDocument } from '../../src/flows/documents/schema.ts';
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
  ...{ phone: '+15005550006', phoneVerified: true, codeOff: false, disabled: false },
  ...{ groups: [], attributes: {}, hasPassword: true, backupCodes: 0 },
  ...members,
});

/** What is true of a person, as far as a flow can tell. */
export interface Kind {
  user: User;
  backupCodes: number;
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
];

export const factor = (method: string, ageMs: number): Factor => {
  const known = methods.get(method);
  if (!known) throw new Error(method);
  return { method, kind: known.kind, amr: [...known.amr], at: now - ageMs };
};

export const factsOf = (kind: Kind | null, session: Facts['session'] = null, at = now): Facts => ({
  now: at,
  methods,
  person: kind && { user: kind.user, own: { 'backup-code': kind.backupCodes } },
  session,
});

export const begun = (members: Partial<Parameters<typeof firstState>[0]> = {}): LoginState =>
  firstState({ subject: null, counts: false, maxAgeMs: null, acr: [], hint: null, ...members });

export const flowOf = (...steps: StepDocument[]): Flow => readFlow({ id: 'f', name: 'F', steps }, 'flv_1');

/** The flow, or nothing when it would be refused at saving. */
export function validFlow(shapes: Omit<StepDocument, 'id'>[]): Flow | null {
  const steps = shapes.map((shape, index) => ({ ...shape, id: `s${index}` }));
  return flowFaults({ id: 'f', name: 'F', steps }, methods).length === 0 ? flowOf(...steps) : null;
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
