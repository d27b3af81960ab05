import { type RawBuilder, sql } from 'kysely';
import type { AuditEvent } from '../audit/types.ts';
import type { MessageState } from '../delivery/types.ts';
import { type JoinedSession, joinedSession } from '../sessions/index.ts';
import type { NamedDevice } from '../sessions/types.ts';
import { drawn, type Guard, json, type Rider, type Slot, type Slots, sendRiders } from '../storage/index.ts';
import type { Db, Tx } from '../storage/types.ts';
import { type JoinedUser, joinedUser } from '../users/index.ts';
import type { LoginState } from './engine/state.ts';
import type { Continuation, LoginRecord, LoginResult } from './types.ts';

declare module '../storage/types.ts' {
  interface Database {
    logins: LoginsTable;
  }
}

interface LoginsTable {
  id: string;
  app_id: string;
  flow_version_id: string;
  user_id: string | null;
  session_id: string | null;
  /** `consumed`: what the login was for has been issued. */
  status: LoginRecord['status'] | 'consumed';
  version: number;
  state: LoginState;
  binding_hash: string;
  continuation: Continuation;
  continuation_key: string | null;
  result: LoginResult | null;
  locale: string;
  ip: string | null;
  user_agent: string | null;
  created_at: Date;
  finished_at: Date | null;
  expires_at: Date;
}

export interface LoginRow {
  id: string;
  appId: string;
  flowVersionId: string;
  /** The browser's session when the login began, if it had one. */
  sessionId: string | null;
  status: LoginsTable['status'];
  version: number;
  state: LoginState;
  bindingHash: string;
  continuation: Continuation;
  locale: string;
  createdAt: Date;
  expiresAt: Date;
}

export interface NewLogin extends Omit<LoginRow, 'status' | 'version'> {
  continuationKey: string | null;
  userId: string | null;
  ip: string;
  userAgent: string | null;
}

const inserting = drawn((db, slots: Slots<NewLogin>) =>
  db.insertInto('logins').values({
    id: slots.id,
    app_id: slots.appId,
    flow_version_id: slots.flowVersionId,
    user_id: slots.userId,
    session_id: slots.sessionId,
    status: 'running',
    version: 1,
    state: json(slots.state),
    binding_hash: slots.bindingHash,
    continuation: json(slots.continuation),
    continuation_key: slots.continuationKey,
    locale: slots.locale,
    ip: slots.ip,
    user_agent: slots.userAgent,
    created_at: slots.createdAt,
    expires_at: slots.expiresAt,
  }),
);

export const insertLogin = (db: Db, login: NewLogin, riders: Rider[]): Promise<void> =>
  sendRiders(db, [...riders, inserting(login)]);

/** A login with its user, its browser's live session and what was asked for beside it, all of one moment. */
export type LoginRead = LoginRow & {
  user: JoinedUser | null;
  session: JoinedSession | null;
  devices: NamedDevice[] | null;
  message: MessageState | null;
};

/** What of others is read with a login, as values of its statement. */
export interface Beside {
  /** The live devices of these ids. */
  devices(ids: Slot<string[]>, now: Slot<Date>): RawBuilder<NamedDevice[] | null>;
  /** What became of the newest message with a reference. */
  message(reference: RawBuilder<string | null>): RawBuilder<MessageState | null>;
}

/** As PostgreSQL writes it as JSON: moments are texts. */
type JoinedLogin = Omit<LoginRead, 'createdAt' | 'expiresAt'> & { createdAt: string; expiresAt: string };

/** The whole row is one value of JSON, which is read in less time than a column after the other. */
export function findingLogin({ devices, message }: Beside) {
  const finding = drawn((db, slots: Slots<{ id: string; deviceIds: string[]; now: Date }>) =>
    db
      .selectFrom(
        db
          .selectFrom('logins')
          .select([
            'id',
            'app_id as appId',
            'flow_version_id as flowVersionId',
            'session_id as sessionId',
            'status',
            'version',
            'state',
            'binding_hash as bindingHash',
            'continuation',
            'locale',
            'created_at as createdAt',
            'expires_at as expiresAt',
          ])
          .select(joinedUser('logins.user_id').as('user'))
          .select(joinedSession('logins.session_id', slots.now).as('session'))
          .select(devices(slots.deviceIds, slots.now).as('devices'))
          .select(
            message(sql`(logins.state -> 'sent' -> (logins.state ->> 'option') ->> 'codeId')`).as('message'),
          )
          .where('id', '=', slots.id)
          .as('found'),
      )
      .select(sql<JoinedLogin>`to_json(found)`.as('login')),
  );

  return async (db: Db, asked: Parameters<typeof finding>[0]): Promise<LoginRead | undefined> => {
    const row = await finding.first(db, asked);
    if (!row) return undefined;
    const { createdAt, expiresAt, ...login } = row.login;
    return { ...login, createdAt: new Date(createdAt), expiresAt: new Date(expiresAt) };
  };
}

export type FindLogin = ReturnType<typeof findingLogin>;

/** Whether anybody can still use what was sent for this login. */
export async function isRunning(db: Db, id: string, now: Date): Promise<boolean> {
  const row = await db
    .selectFrom('logins')
    .select('id')
    .where('id', '=', id)
    .where('status', '=', 'running')
    .where('expires_at', '>', now)
    .executeTakeFirst();
  return row !== undefined;
}

/** The present version of a login; undefined when it has gone. */
export async function versionOf(db: Db, id: string): Promise<number | undefined> {
  const row = await db.selectFrom('logins').select('version').where('id', '=', id).executeTakeFirst();
  return row?.version;
}

/** Holds a running login that is still at `version`, before the session that it makes stronger. */
export const holdingLogin = (db: Db, { id, version }: Pick<LoginRow, 'id' | 'version'>): Guard =>
  db
    .selectFrom('logins')
    .select('id')
    .where('id', '=', id)
    .where('version', '=', version)
    .where('status', '=', 'running')
    .forUpdate();

interface Saved {
  id: string;
  state: LoginState;
  userId: string | null;
  version: number;
  next: number;
}

const going = drawn((db, slots: Slots<Saved>) =>
  db
    .updateTable('logins')
    .set({ state: json(slots.state), version: slots.next, user_id: slots.userId })
    .where('id', '=', slots.id)
    .where('version', '=', slots.version)
    .where('status', '=', 'running')
    .returning('id'),
);

const ending = drawn(
  (db, slots: Slots<Saved & { status: LoginRecord['status']; result: LoginResult | null; now: Date }>) =>
    db
      .updateTable('logins')
      .set({
        ...{ state: json(slots.state), version: slots.next, user_id: slots.userId },
        ...{ status: slots.status, result: json(slots.result), finished_at: slots.now },
      })
      .where('id', '=', slots.id)
      .where('version', '=', slots.version)
      .where('status', '=', 'running')
      .returning('id'),
);

/** Moves a running login on from `version`. Finds no row when another submit has done so first. */
export function saving(
  login: { id: string; version: number; state: LoginState; userId: string | null },
  end: { status: LoginRecord['status']; result: LoginResult | null; now: Date } | undefined,
): Guard {
  const saved = { ...login, next: login.version + 1 };
  return end ? ending({ ...saved, ...end }) : going(saved);
}

/** Its next page says that the password is a new one. */
export const renewing = (db: Db, id: string): Rider =>
  db
    .updateTable('logins')
    .set({ state: sql<LoginState>`state || '{"renewed": true}'` })
    .where('id', '=', id)
    .where('status', '=', 'running');

export interface EndedLogin {
  id: string;
  appId: string;
}

/** What is on record of logins that {@link endProved} has ended. */
export const endedEvents = (ended: readonly EndedLogin[], subject: string, reason: string): AuditEvent[] =>
  ended.map(({ appId, id: loginId }) => ({
    ...{ name: 'login.finished', subject, appId, loginId, result: 'failed', reason },
  }));

/**
 * Ends what is under way for a user who has shown something already: a password that was passed may be one that is
 * replaced now. What finishes at the same moment is either ended here, or its session is there to be ended afterwards.
 */
export async function endProved(
  tx: Tx,
  userId: string,
  exceptId: string | null,
  now: Date,
): Promise<EndedLogin[]> {
  return tx
    .updateTable('logins')
    .set({ status: 'failed', finished_at: now, state: sql<LoginState>`state || '{"ended": "signed-out"}'` })
    .where('user_id', '=', userId)
    .where('status', '=', 'running')
    .where(sql<boolean>`(state ->> 'proved')::boolean`)
    .$if(exceptId !== null, (query) => query.where('id', '<>', exceptId ?? ''))
    .returning(['id', 'app_id as appId'])
    .execute();
}

const byContinuationKey = drawn((db, slots: Slots<{ key: string }>) =>
  db
    .selectFrom('logins')
    .select(['id', 'app_id as appId', 'status', 'continuation', 'result', 'expires_at as expiresAt'])
    .select(joinedUser('logins.user_id').as('user'))
    .where('continuation_key', '=', slots.key),
);

export const findByContinuationKey = (db: Db, key: string) => byContinuationKey.first(db, { key });

const taking = drawn((db, slots: Slots<{ id: string }>) =>
  db
    .updateTable('logins')
    .set({ status: 'consumed' })
    .where('id', '=', slots.id)
    .where('status', 'in', ['finished', 'cancelled', 'failed'])
    .returning('id'),
);

/** Takes what an ended login established; of many statements exactly one finds it. */
export const consuming = (_db: Db, id: string): Guard => taking({ id });
