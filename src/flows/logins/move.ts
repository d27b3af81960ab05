import type { Audit, AuditEvent } from '../../audit/types.ts';
import type { OutgoingMessage } from '../../delivery/types.ts';
import { Problem } from '../../lib/problem.ts';
import { type Text, text } from '../../lib/texts.ts';
import type { Factor, Session, Sessions } from '../../sessions/types.ts';
import type { Rider } from '../../storage/index.ts';
import type { Storage, Tx } from '../../storage/types.ts';
import type { User } from '../../users/types.ts';
import { describe } from '../engine/describe.ts';
import type { Advance, LoginState, Passed } from '../engine/state.ts';
import type { Effect, Methods, Pass } from '../method.ts';
import { findLogin, type LoginRow, saveLogin } from '../store.ts';
import type { LoginResult } from '../types.ts';
import { type Dispatch, type DispatchDeps, issue } from './dispatch.ts';

interface MoveDeps extends DispatchDeps {
  storage: Storage;
  sessions: Sessions;
  audit: Audit;
  methods: Methods;
}

/** What the engine decided, and what is to be written with it. */
interface Move {
  row: LoginRow;
  plan: Advance;
  sends: { effect: Effect; dispatch: Dispatch }[];
  pass: Pass | null;
  user: User | null;
  /** The browser's session, where it is alive. */
  session: Session | undefined;
  context: Omit<AuditEvent, 'name'>;
  ip: string;
  userAgent: string | null;
  now: Date;
}

export type Moved =
  | { is: 'moved'; row: LoginRow; messages: OutgoingMessage[] }
  /** Another submit of this login was first. */
  | { is: 'late' }
  /** What was typed was used elsewhere at this very moment, or may not be taken. */
  | { is: 'refused'; text: Text };

type Noted = Omit<AuditEvent, keyof Move['context']> & Partial<AuditEvent>;

/** Rolls the transaction back: nothing of the move happens. */
class RolledBack extends Error {
  readonly moved: Moved;
  constructor(moved: Moved) {
    super(moved.is);
    this.moved = moved;
  }
}

/** Writes a move in one transaction: the guarded use of what was typed, codes, messages, session, login, records. */
export async function commitMove(deps: MoveDeps, move: Move): Promise<Moved> {
  try {
    return await deps.storage.transaction((tx) => write(deps, tx, move));
  } catch (error) {
    if (!(error instanceof RolledBack)) throw error;
    if (error.moved.is !== 'refused') return error.moved;
    // The other tab may have used the very same code for this login: then there is nothing to complain about.
    const present = await findLogin(deps.storage.db, move.row.id);
    return present?.version === move.row.version ? error.moved : { is: 'late' };
  }
}

async function write(deps: MoveDeps, tx: Tx, move: Move): Promise<Moved> {
  const { now, pass, plan, row } = move;
  if (pass) await spend(tx, pass);
  const notes: Noted[] = [...plan.records, ...(pass?.events ?? []), ...(await codeBackOn(deps, tx, move))];
  let state: LoginState = plan.state;
  const messages: OutgoingMessage[] = [];
  const riders: Rider[] = pass?.riders?.(tx) ?? [];
  for (const { effect, dispatch } of move.sends) {
    const { sent, draft } = await issue(deps, tx, effect, dispatch, now);
    state = { ...state, sent: { ...state.sent, [effect.method]: sent } };
    if (draft) {
      messages.push(draft.message);
      riders.push(...draft.riders);
    }
    if (sent.refused === null) notes.push({ name: 'code.issued', data: { method: effect.method } });
  }
  const end = await finish(deps, tx, move, notes, riders);
  const moved = { ...row, state, version: row.version + 1 };
  const userId = state.subject?.userId ?? null;
  const events = notes.map((note) => ({ ...move.context, ...note }));
  riders.push(...deps.audit.riders(tx, now, events));
  const save = { id: row.id, version: row.version, state, userId };
  if (!(await saveLogin(tx, save, end, riders))) throw new RolledBack({ is: 'late' });
  return { is: 'moved', row: end ? { ...moved, status: end.status } : moved, messages };
}

async function spend(tx: Tx, pass: Pass): Promise<void> {
  try {
    if (!pass.commit || (await pass.commit(tx))) return;
  } catch (error) {
    const { refusal } = pass;
    if (refusal && error instanceof Problem && error.status < 500) {
      throw new RolledBack({ is: 'refused', text: refusal.text });
    }
    throw error;
  }
  throw new RolledBack({ is: 'refused', text: pass.lost ?? text('flows.busy') });
}

/** Who has used up the last backup code instead of the message gets the message again: else nothing were left. */
async function codeBackOn(
  { methods, services: { users } }: MoveDeps,
  tx: Tx,
  { now, plan, row, pass, user }: Move,
): Promise<Noted[]> {
  const used = pass && row.state.option !== null && methods.get(row.state.option)?.kind === 'recovery';
  if (!used || !user?.codeOff || plan.next.is === 'end') return [];
  if ((await users.backupCodes.left(tx, user.id)) > 0) return [];
  await users.setCodeOff(tx, user.id, false, null, now);
  return [{ name: 'user.code_on', reason: 'last-backup-code' }];
}

async function finish(deps: MoveDeps, tx: Tx, move: Move, notes: Noted[], riders: Rider[]) {
  const { now, plan } = move;
  const { next } = plan;
  if (next.is === 'show') return undefined;
  if (next.is === 'end') {
    const name = next.status === 'cancelled' ? 'login.abandoned' : 'login.finished';
    notes.push({ name, result: next.status, reason: next.reason });
    return { status: next.status, result: null, now };
  }
  const result = await establish(deps, tx, move, next.trail, notes, riders);
  notes.push({
    name: 'login.finished',
    result: 'ok',
    sessionId: result.sessionId,
    data: { acr: result.acr },
  });
  return { status: 'finished' as const, result, now };
}

/**
 * The session that the login ends in: the browser's own one made stronger, or a new one. Its factors count from now
 * on: what was shown minutes ago in this login is not older than the login.
 */
async function establish(
  { sessions }: MoveDeps,
  tx: Tx,
  { ip, now, session, user, userAgent }: Move,
  trail: Passed[],
  notes: Noted[],
  riders: Rider[],
): Promise<LoginResult> {
  if (!user) throw new Error('a login without a user cannot finish');
  const shown = trail.filter(({ kind }) => kind !== 'identify');
  const factors: Factor[] = shown
    .filter(({ via }) => via === 'login')
    .map(({ method, kind, amr }) => ({ method, kind, amr, at: now.getTime() }));
  const { acr, amr } = describe(shown);
  if (session?.userId === user.id) {
    const kept = factors.length > 0 ? await sessions.strengthen(tx, session.id, factors, now) : session;
    if (kept) return { userId: user.id, sessionId: kept.id, amr, acr, authTime: kept.authTime.getTime() };
  } else if (session) {
    await sessions.revoke(tx, session.id, 'another-user', now);
  }
  const { session: created, rider } = sessions.draft(tx, { userId: user.id, factors, ip, userAgent }, now);
  riders.push(rider);
  notes.push({ name: 'session.created', sessionId: created.id });
  return { userId: user.id, sessionId: created.id, amr, acr, authTime: created.authTime.getTime() };
}
