import type { App, Apps } from '../../apps/types.ts';
import type { Clock } from '../../lib/clock.ts';
import { durationPattern, parseDuration } from '../../lib/duration.ts';
import { networkFault } from '../../lib/network.ts';
import { type Fault, Problem } from '../../lib/problem.ts';
import type { Factor } from '../../sessions/types.ts';
import type { Db } from '../../storage/types.ts';
import type { User, Users } from '../../users/types.ts';
import { type FlowDocument, readFlow } from '../documents/schema.ts';
import { type Simulated, simulate } from '../engine/simulate.ts';
import { type DeviceFacts, type Facts, firstState } from '../engine/state.ts';
import { gatherPerson, methodsAhead } from '../logins/facts.ts';
import { firstAsked } from '../logins/grace.ts';
import { methods } from '../methods/index.ts';
import type { Flow } from '../types.ts';
import { type BuiltInFlow, findBuiltIn, type ReadOwnPages, unchangeable } from '../versions/built-in.ts';
import { demandNone, readDocument } from '../versions/judging.ts';
import { numbered, unknownFlow } from '../versions/publishing.ts';
import { findPublished } from '../versions/store.ts';

/** What would be asked of whom, and when. Plain JSON. What is left out is not known, and steps that ask about it apply. */
export interface SimulationRequest {
  /** The version that is published, another one of the flow, or a document that is not saved. */
  flow: { id: string; version?: number } | { document: Record<string, unknown> };
  /** As it would be typed: a user name, or a verified address or number. */
  user: string;
  app?: string;
  ip?: string;
  userAgent?: string;
  country?: string;
  /** Whether every step was passed in this browser before, and whether the user wished to go without from then on. */
  device?: 'new' | 'known' | 'remembered';
  /** What a session of this browser has, each with its age (`5m`). */
  session?: { method: string; age: string }[];
  acr?: string[];
  /** `max_age`, as a duration. */
  maxAge?: string;
  /** ISO 8601; default: now. */
  at?: string;
}

export interface Simulation extends Simulated {
  flow: string;
  /** Null for a document that is not saved. */
  version: number | null;
  user: { id: string; username: string };
  app: string | null;
  /** ISO 8601. */
  at: string;
}

export interface SimulatorDeps {
  db: Db;
  clock: Clock;
  users: Users;
  apps: Pick<Apps, 'find'>;
  ownPages: ReadOwnPages;
}

/**
 * Answers what a user would be asked, here and now, and by which rule. Reads what a login would read; writes nothing and
 * sends nothing. Locks, limits and the guard are not looked at: they decide how often, not what. Throws Problem 400 and
 * 404, naming the member.
 */
export async function simulateLogin(
  { apps, clock, db, ownPages, users }: SimulatorDeps,
  request: SimulationRequest,
): Promise<Simulation> {
  demandNone(faultsOf(request));
  const now = request.at === undefined ? clock.now() : new Date(request.at);
  const flow = await findFlow(db, ownPages, request.flow);
  const found = await users.findByIdentifier(db, request.user);
  const user = found && asOf(found, now);
  if (!user) throw missing('user', `There is no user “${request.user}”.`);
  const app = request.app === undefined ? null : await apps.find(db, request.app);
  if (app === undefined) throw missing('app', `There is no app “${request.app}”.`);
  const session = sessionOf(request, user, now);
  const maxAgeMs = request.maxAge === undefined ? null : parseDuration(request.maxAge);
  const state = firstState({
    ...{ subject: session ? { userId: user.id, name: null } : null, counts: session !== null, hint: null },
    ...{ maxAgeMs, wantsFresh: maxAgeMs !== null, acr: request.acr ?? [] },
  });
  const facts: Facts = {
    ...{ now: now.getTime(), methods, session },
    person: await gatherPerson({ users }, db, user, methodsAhead(flow, state, methods)),
    asked: await firstAsked(db, flow, user),
    ...circumstancesOf(request, app, flow, now),
  };
  return {
    ...{ flow: flow.id, version: flow.version || null, app: app?.id ?? null, at: now.toISOString() },
    user: { id: user.id, username: user.username },
    ...simulate(flow, state, facts),
  };
}

/** The code may be switched off until a day that is over at that moment. */
const asOf = (user: User, now: Date): User =>
  user.codeOffUntil && user.codeOffUntil <= now ? { ...user, codeOff: false, codeOffUntil: null } : user;

async function findFlow(db: Db, ownPages: ReadOwnPages, which: SimulationRequest['flow']): Promise<Flow> {
  if ('document' in which) {
    const { faults, resolved } = readDocument(which.document);
    demandNone(faults);
    return readFlow(resolved as unknown as FlowDocument, '');
  }
  const { id, version } = which;
  const builtIn = await findBuiltIn(ownPages, id);
  if (builtIn) return readBuiltIn(builtIn, version);
  const row = version === undefined ? await findPublished(db, id) : await numbered(db, id, version);
  if (!row) throw unknownFlow(id);
  return readFlow(row.document.resolved, row.id, row.version);
}

function readBuiltIn(builtIn: BuiltInFlow, version: number | undefined): Flow {
  if (version !== undefined) throw unchangeable(builtIn.document.id, builtIn.about);
  const flow = readFlow(builtIn.document, builtIn.document.id);
  if (flow.steps.every(({ options }) => options.every(({ method }) => methods.has(method)))) return flow;
  throw new Problem({
    ...{ status: 400, code: 'invalid_request' },
    message: `“${flow.id}” signs nobody in, so there is nothing to simulate.`,
  });
}

const missing = (path: string, message: string): Problem =>
  new Problem({ status: 404, code: `${path}_unknown`, message, errors: [{ path, message }] });

/** With its zone: whose clock would count otherwise? */
const moment = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d))?$/;

function faultsOf({ at, country, ip, maxAge, session = [] }: SimulationRequest): Fault[] {
  const faults: Fault[] = [];
  const demand = (right: boolean, path: string, message: string) => {
    if (!right) faults.push({ path, message });
  };
  const isDuration = (written: string) => new RegExp(durationPattern).test(written);
  demand(
    at === undefined || (moment.test(at) && !Number.isNaN(Date.parse(at))),
    'at',
    `“${at}” is no moment such as 2026-01-31T22:00:00Z`,
  );
  demand(ip === undefined || (networkFault(ip) === null && !ip.includes('/')), 'ip', `“${ip}” is no address`);
  demand(
    country === undefined || /^[A-Za-z]{2}$/.test(country),
    'country',
    `“${country}” is no country such as DE (ISO 3166, two letters)`,
  );
  demand(maxAge === undefined || isDuration(maxAge), 'maxAge', `“${maxAge}” is no duration such as 5m`);
  for (const [index, { age, method }] of session.entries()) {
    demand(methods.has(method), `session[${index}].method`, `there is no method “${method}”`);
    demand(isDuration(age), `session[${index}].age`, `“${age}” is no duration such as 5m`);
  }
  return faults;
}

function sessionOf({ session }: SimulationRequest, user: User, now: Date): Facts['session'] {
  if (!session || session.length === 0) return null;
  const factors = session.flatMap(({ age, method: id }): Factor[] => {
    const method = methods.get(id);
    const at = now.getTime() - parseDuration(age);
    return method ? [{ method: id, kind: method.kind, amr: [...method.amr], at }] : [];
  });
  return { userId: user.id, factors };
}

/** What is known of the app, the request and the browser. */
function circumstancesOf(
  { country, device, ip, userAgent }: SimulationRequest,
  app: App | null,
  flow: Flow,
  now: Date,
): Partial<Facts> {
  return {
    ...(app && { app: { id: app.id, firstParty: app.firstParty } }),
    request: { ip: ip ?? null, userAgent: userAgent ?? null, country: country?.toUpperCase() ?? null },
    ...(device !== undefined && {
      device: device === 'new' ? null : passedEverything(device, app, flow, now),
    }),
  };
}

function passedEverything(
  device: 'known' | 'remembered',
  app: App | null,
  flow: Flow,
  now: Date,
): DeviceFacts {
  const at = now.getTime();
  const rememberedAt = device === 'remembered' ? at : null;
  return {
    passes: flow.steps.map(({ id, options }) => ({
      ...{ app: app?.id ?? '', flow: flow.id, step: id, method: options[0]?.method ?? '', at, rememberedAt },
    })),
  };
}
