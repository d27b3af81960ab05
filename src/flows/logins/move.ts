import type { Audit, AuditEvent } from '../../audit/types.ts';
import type { OutgoingMessage } from '../../delivery/types.ts';
import { Problem } from '../../lib/problem.ts';
import { type Text, text } from '../../lib/texts.ts';
import type { Factor, Session, Sessions } from '../../sessions/types.ts';
import { type Guard, happened, type Rider, sendRiders, writeTogether } from '../../storage/index.ts';
import type { Db, Storage, Tx } from '../../storage/types.ts';
import type { User } from '../../users/types.ts';
import { describe } from '../engine/describe.ts';
import { shownAfter } from '../engine/shown.ts';
import type { Advance, LoginState, Passed } from '../engine/state.ts';
import type { Effect, Methods, Pass } from '../method.ts';
import { holdingLogin, type LoginRow, renewing, saving, versionOf } from '../store.ts';
import type { LoginRecord, LoginResult } from '../types.ts';
import { type Dispatch, type DispatchDeps, type Issued, issue, issueFirst } from './dispatch.ts';

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
  /** What was decided meanwhile. */
  riders: Rider[];
  /** What it was decided upon, and has to be true still. */
  guards: Guard[];
  pass: Pass | null;
  user: User | null;
  /** The browser's session, where it is alive. */
  session: Session | undefined;
  context: Omit<AuditEvent, 'name'>;
  ip: string;
  userAgent: string | null;
  /** Where the request came from. */
  country: string | null;
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

/**
 * Writes a move, all or nothing: the guarded use of what was typed, codes, messages, session, login, records. Most moves
 * are one statement. Those that have to look at something first, and those that come too late, take a transaction.
 */
export async function commitMove(deps: MoveDeps, move: Move): Promise<Moved> {
  const moved = await writeAtOnce(deps, move);
  if (moved) return moved;
  try {
    return await deps.storage.transaction((tx) => write(deps, tx, move));
  } catch (error) {
    if (!(error instanceof RolledBack)) throw error;
    if (error.moved.is !== 'refused') return error.moved;
    // The other tab may have used the very same code for this login: then there is nothing to complain about.
    const version = await versionOf(deps.storage.db, move.row.id);
    return version === move.row.version ? error.moved : { is: 'late' };
  }
}

/** Undefined, and nothing written: it takes a transaction, or a guard found no row. */
async function writeAtOnce(deps: MoveDeps, move: Move): Promise<Moved | undefined> {
  const { now, pass, plan, sends, session } = move;
  const looks =
    pass?.commit || session || sends.some(({ dispatch }) => dispatch.before) || backOn(deps, move);
  if (looks) return undefined;
  const { db } = deps.storage;
  const issued = sends.map(({ effect, dispatch }) => issueFirst(deps, db, effect, dispatch, now));
  const end = plan.next.is === 'finish' ? finishing(deps, db, move, plan.next.trail) : ended(move);
  const { guards, moved, riders } = drawUp(deps, db, move, { issued, end, notes: [] });
  return (await writeTogether(db, guards, riders)) ? moved : undefined;
}

async function write(deps: MoveDeps, tx: Tx, move: Move): Promise<Moved> {
  const { now, pass, plan, session } = move;
  if (pass) await spend(tx, pass);
  const notes = await codeBackOn(deps, tx, move);
  const issued: Issued[] = [];
  for (const { effect, dispatch } of move.sends) issued.push(await issue(deps, tx, effect, dispatch, now));
  // Who ends all access of a user comes to logins before sessions: the other way round both would wait for each other.
  if (session && !(await happened(tx, holdingLogin(tx, move.row)))) throw new RolledBack({ is: 'late' });
  const end = plan.next.is === 'finish' ? await establish(deps, tx, move, plan.next.trail) : ended(move);
  const { moved, riders, held } = drawUp(deps, tx, move, { issued, end, notes });
  if (!(await allHappened(tx, held))) throw new RolledBack({ is: 'late' });
  await sendRiders(tx, riders);
  return moved;
}

/** How the login ends, if it does. */
interface End {
  status: LoginRecord['status'];
  result: LoginResult | null;
  now: Date;
  notes: Noted[];
  riders: Rider[];
}

/** All statements of a move. `held`: those of the guards that are not of what was typed. */
function drawUp(
  deps: MoveDeps,
  db: Db,
  move: Move,
  { issued, end, notes }: { issued: Issued[]; end: End | undefined; notes: Noted[] },
) {
  const { now, pass, plan, row, sends } = move;
  const sent = issued.map((one, n) => [sends[n]?.effect.method ?? '', one.sent] as const);
  const state: LoginState = { ...plan.state, sent: { ...plan.state.sent, ...Object.fromEntries(sent) } };
  const codes = sent.filter(([, one]) => one.refused === null);
  const events = [
    ...plan.records,
    ...(pass?.events ?? []),
    ...notes,
    ...codes.map(([method]): Noted => ({ name: 'code.issued', data: { method } })),
    ...(end?.notes ?? []),
    ...(end ? [] : shownAfter(row.state, state)),
  ].map((note) => ({ ...move.context, ...note }));
  const userId = state.subject?.userId ?? null;
  // The login's row first: so do those who end what somebody has, before they come to devices.
  const held = [saving({ id: row.id, version: row.version, state, userId }, end), ...move.guards];
  const after = { ...row, state, version: row.version + 1, ...(end && { status: end.status }) };
  const messages = issued.flatMap(({ message }) => message ?? []);
  return {
    held,
    guards: [...(pass?.guards ?? []), ...issued.flatMap(({ guards }) => guards), ...held],
    riders: [
      ...(pass?.riders?.(db) ?? []),
      ...move.riders,
      ...issued.flatMap(({ riders }) => riders),
      ...(end?.riders ?? []),
      ...deps.audit.riders(db, now, events),
    ],
    moved: { is: 'moved', row: after, messages } satisfies Moved,
  };
}

async function spend(tx: Tx, pass: Pass): Promise<void> {
  try {
    if ((await allHappened(tx, pass.guards ?? [])) && (await (pass.commit?.(tx) ?? true))) return;
  } catch (error) {
    const { refusal } = pass;
    if (refusal && error instanceof Problem && error.status < 500) {
      throw new RolledBack({ is: 'refused', text: refusal.text });
    }
    throw error;
  }
  throw new RolledBack({ is: 'refused', text: pass.lost ?? text('flows.busy') });
}

async function allHappened(tx: Tx, guards: Guard[]): Promise<boolean> {
  for (const guard of guards) if (!(await happened(tx, guard))) return false;
  return true;
}

/** A recovery code was used by somebody who has switched the message off. */
function backOn({ methods }: MoveDeps, { plan, row, pass, user }: Move): boolean {
  const used = pass && row.state.option !== null && methods.get(row.state.option)?.kind === 'recovery';
  return Boolean(used && user?.codeOff && plan.next.is !== 'end');
}

/** Who has used up the last backup code instead of the message gets the message again: else nothing were left. */
async function codeBackOn(deps: MoveDeps, tx: Tx, move: Move): Promise<Noted[]> {
  const { now, user } = move;
  const { users } = deps.services;
  if (!user || !backOn(deps, move)) return [];
  if ((await users.backupCodes.left(tx, user.id)) > 0) return [];
  await users.setCodeOff(tx, user.id, false, null, now);
  return [{ name: 'user.code_on', reason: 'last-backup-code' }];
}

/** Without success. */
function ended({ now, plan: { next } }: Move): End | undefined {
  if (next.is !== 'end') return undefined;
  const name = next.status === 'cancelled' ? 'login.abandoned' : 'login.finished';
  const notes = [{ name, result: next.status, reason: next.reason }];
  return { status: next.status, result: null, now, notes, riders: [] };
}

const personOf = ({ user }: Move): User => {
  if (!user) throw new Error('a login without a user cannot finish');
  return user;
};

/** What was shown in this login counts from now on: minutes ago in it is not older than the login. */
function shownIn({ now }: Move, trail: Passed[]) {
  const shown = trail.filter(({ kind }) => kind !== 'identify');
  const factors: Factor[] = shown
    .filter(({ via }) => via === 'login')
    .map(({ method, kind, amr }) => ({ method, kind, amr, at: now.getTime() }));
  return { factors, ...describe(shown) };
}

function finished({ now }: Move, result: LoginResult, notes: Noted[] = [], riders: Rider[] = []): End {
  const { acr, sessionId } = result;
  const note = { name: 'login.finished', result: 'ok', sessionId, data: { acr } };
  return { status: 'finished', result, now, notes: [...notes, note], riders };
}

/** A reset begins no session: the login that it was for goes on with the new password. */
function afterReset(db: Db, { now, row: { continuation } }: Move): End | undefined {
  if (continuation.kind !== 'recovery') return undefined;
  const { login } = continuation;
  const notes = [{ name: 'login.finished', result: 'recovered' }];
  return {
    status: 'finished',
    result: null,
    now,
    notes,
    riders: login === null ? [] : [renewing(db, login)],
  };
}

const finishing = (deps: MoveDeps, db: Db, move: Move, trail: Passed[]): End =>
  afterReset(db, move) ?? fresh(deps, db, move, trail);

/** In a session of its own. */
function fresh({ sessions }: MoveDeps, db: Db, move: Move, trail: Passed[]): End {
  const { country, ip, now, userAgent } = move;
  const { id: userId } = personOf(move);
  const { acr, amr, factors } = shownIn(move, trail);
  const { session, rider } = sessions.draft(db, { userId, factors, ip, userAgent, country }, now);
  const result = { userId, sessionId: session.id, amr, acr, authTime: session.authTime.getTime() };
  return finished(move, result, [{ name: 'session.created', sessionId: session.id }], [rider]);
}

/** In the browser's own session, made stronger, where it is the same person's; else in a new one. */
async function establish(deps: MoveDeps, tx: Tx, move: Move, trail: Passed[]): Promise<End> {
  const reset = afterReset(tx, move);
  if (reset) return reset;
  const { now, session } = move;
  const { id: userId } = personOf(move);
  const { acr, amr, factors } = shownIn(move, trail);
  if (session?.userId === userId) {
    const kept = factors.length > 0 ? await deps.sessions.strengthen(tx, session.id, factors, now) : session;
    const result = kept && { userId, sessionId: kept.id, amr, acr, authTime: kept.authTime.getTime() };
    if (result) return finished(move, result);
    // It has ended at this moment, and what it stood for with it.
    if (trail.some(({ via }) => via === 'session')) throw new RolledBack({ is: 'late' });
  } else if (session) {
    await deps.sessions.revoke(tx, session.id, 'another-user', now);
  }
  return fresh(deps, tx, move, trail);
}
