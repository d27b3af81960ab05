import type { Audit, AuditEvent } from '../../audit/types.ts';
import { after } from '../../lib/clock.ts';
import type { RandomSource } from '../../lib/ids.ts';
import { Problem } from '../../lib/problem.ts';
import { type Text, text } from '../../lib/texts.ts';
import type { Db, Storage, Tx } from '../../storage/types.ts';
import type { Credential, SecretCredential, User, Users } from '../../users/types.ts';
import type { Figure } from '../types.ts';
import { authenticatorFigure, parametersOf } from './figure.ts';
import { matchTotp, newSeed, totpDefaults } from './totp.ts';

/** Each one makes a guessed code more likely to fit. */
const maxAuthenticators = 5;
/** How long the picture may wait to be scanned. */
const lifetimeMs = 15 * 60_000;
const maxTries = 20;
const window = 1;
/** What its events are about. */
const factor = { data: { factor: 'totp' } };

export type Authenticator = Pick<Credential, 'id' | 'label' | 'createdAt' | 'lastUsedAt'>;

/** Who sets it up, and in which session: the secret is shown in no other. */
interface Whose {
  user: User;
  sessionId: string;
}

/** For the record of events: who does it and from where. */
export type By = Omit<AuditEvent, 'name' | 'subject' | 'data'>;

/**
 * What else happens with it. Asked for once nothing stands in the way but the transaction, for what has to be done before
 * that; what it answers is done in the transaction, and what this throws undoes both.
 */
type Along = () => Promise<(tx: Tx) => Promise<void>>;

export type Confirmed =
  | { is: 'added' }
  /** Not what the app shows. */
  | { is: 'wrong'; text: Text }
  /** It took too long, was tried too often, or is set up already: begin again. */
  | { is: 'gone' };

/** Authenticator apps as their user looks after them, outside any login. Whoever calls asks for a fresh login first. */
export interface Authenticators {
  list(db: Db, userId: string): Promise<Authenticator[]>;
  /** Makes a new secret for this session; what was begun in it before is void. Throws Problem 409 when there are many. */
  begin(whose: Whose, now: Date): Promise<Figure>;
  /** What was begun and is still to be confirmed, for showing it again. */
  begun(whose: Whose, now: Date): Promise<Figure | null>;
  /** @param typed the code that the app shows, which proves that it has the secret; and what the user calls the app. */
  confirm(
    whose: Whose,
    typed: { code: string; label: string },
    by: By,
    now: Date,
    along?: Along,
  ): Promise<Confirmed>;
  /** False when the user has no such app. */
  remove(userId: string, id: string, by: By, now: Date, along?: Along): Promise<boolean>;
}

export interface AuthenticatorsDeps {
  storage: Storage;
  users: Users;
  audit: Audit;
  random: RandomSource;
  /** What the gateway calls itself: the app shows it beside the code. */
  gateway(): string;
}

const figureFor = (
  { data, secret }: SecretCredential,
  names: { issuer: string; account: string },
): Promise<Figure> => authenticatorFigure(secret, parametersOf(data), names);

export function createAuthenticators(deps: AuthenticatorsDeps): Authenticators {
  const { audit, random, storage, users } = deps;
  const { credentials } = users;
  const namesOf = ({ username: account }: User) => ({ issuer: deps.gateway(), account });
  const find = ({ sessionId, user }: Whose, now: Date) =>
    credentials.begun(storage.db, { userId: user.id, type: 'totp', sessionId }, now);

  return {
    list: (db, userId) => credentials.list(db, userId, 'totp'),

    async begin({ sessionId, user }, now) {
      const secret = await newSeed(totpDefaults.algorithm, random);
      const fresh = { userId: user.id, type: 'totp', label: '', data: { ...totpDefaults }, secret };
      const begun = await storage.transaction(async (tx) => {
        await demandRoom(users, tx, user.id);
        return credentials.begin(tx, fresh, { sessionId, expiresAt: after(now, lifetimeMs) }, now);
      });
      return figureFor(begun, namesOf(user));
    },

    async begun(whose, now) {
      const begun = await find(whose, now);
      return begun ? figureFor(begun, namesOf(whose.user)) : null;
    },

    async confirm(whose, { code, label }, by, now, along) {
      const begun = await find(whose, now);
      if (!begun) return { is: 'gone' };
      const tries = await storage.counters.add(`totp-set-up:${begun.id}`, lifetimeMs, now);
      if (tries > maxTries) return { is: 'gone' };
      const parameters = parametersOf(begun.data);
      const match = await matchTotp(begun.secret, parameters, code, { now, used: null, window });
      if (match.is !== 'right') return { is: 'wrong', text: text('totp.wrong') };
      const userId = whose.user.id;
      const also = await along?.();
      return storage.transaction(async (tx) => {
        // One after the other: two at once would both find the last place free.
        await users.lock(tx, userId);
        await demandRoom(users, tx, userId);
        const proof = { counter: match.step, label: label.trim() };
        if (!(await credentials.confirm(tx, begun.id, proof, now))) return { is: 'gone' };
        await audit.record(tx, now, [{ ...by, ...factor, subject: userId, name: 'user.factor_added' }]);
        await also?.(tx);
        return { is: 'added' };
      });
    },

    async remove(userId, id, by, now, along) {
      const also = await along?.();
      return storage.transaction(async (tx) => {
        // Whoever gives several up at once does so one after the other, each seeing what is left.
        await users.lock(tx, userId);
        if (!(await credentials.remove(tx, userId, id, 'totp'))) return false;
        await audit.record(tx, now, [{ ...by, ...factor, subject: userId, name: 'user.factor_removed' }]);
        await also?.(tx);
        return true;
      });
    },
  };
}

async function demandRoom({ credentials }: Users, db: Db, userId: string): Promise<void> {
  if ((await credentials.list(db, userId, 'totp')).length < maxAuthenticators) return;
  throw new Problem({
    status: 409,
    code: 'too_many_authenticators',
    message: `There are ${maxAuthenticators} authenticator apps already. Remove one of them first.`,
  });
}
