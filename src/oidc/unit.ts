import type { IncomingMessage } from 'node:http';
import type { FastifyRequest } from 'fastify';
import Provider, { type AdapterPayload } from 'oidc-provider';
import type { LoginRecord } from '../flows/types.ts';
import type { OidcSession } from '../sessions/index.ts';
import { type Guard, happened, sendRiders, writeTogether } from '../storage/index.ts';
import type { Db, Storage, Tx } from '../storage/types.ts';
import type { User } from '../users/types.ts';
import { type Artifact, inserting, type NewArtifact } from './store.ts';
import type { BrowserSession } from './types.ts';

const requests = new WeakMap<IncomingMessage, FastifyRequest>();

/** Remembers the request as Fastify sees it (address behind proxies, id, languages) for the library's callbacks. */
export function rememberRequest(request: FastifyRequest): void {
  requests.set(request.raw, request);
}

export function requestOf(context: { req: IncomingMessage }): FastifyRequest {
  const request = requests.get(context.req);
  if (!request) throw new Error('this request did not come in through the routes of oidc');
  return request;
}

/** A guarded write found nothing left to do: someone else was first. Carries what the caller is told. */
export class AlreadyUsed extends Error {
  readonly answer: Error;
  readonly grantId: string | null;

  /** With `grantId`: a second use of a token, so that its whole family ends (RFC 9700, section 4.14.2). */
  constructor(answer: Error, grantId: string | null = null) {
    super('already used');
    this.name = 'AlreadyUsed';
    this.answer = answer;
    this.grantId = grantId;
  }
}

/** Whose and how wide a grant is, known from a token of it that this request has read. */
export interface GrantSource {
  accountId: string;
  clientId: string;
  scope: string;
  /** APIs that the token may be exchanged for. */
  resources: string[];
  /** Claims that were asked for by name. */
  claims: string[];
}

/** `lost`: what is thrown when the guard finds no row. Other writes need a transaction of their own. */
export type Write = { guard(db: Db): Guard; lost(): AlreadyUsed } | ((tx: Tx) => Promise<void>);

/** What one request has read, so that it reads nothing twice, and what it is going to write. */
export interface Unit {
  artifacts: Map<string, Promise<Artifact | undefined>>;
  /** Stand-ins for secrets of which only the hash is known, made for this request alone. */
  aliases: Map<string, string>;
  users: Map<string, Promise<User | undefined>>;
  /** Live sessions by id. */
  sessions: Map<string, OidcSession | undefined>;
  grants: Map<string, GrantSource>;
  ended: Map<string, Promise<void>>;
  /** The session behind the request's cookie. */
  browser: BrowserSession | undefined;
  /** The login from which the browser has come back. */
  login: LoginRecord | undefined;
  /** An interaction that is about to start: the library hands it over before it asks for the URL. */
  interaction: AdapterPayload | undefined;
  writes: Write[];
  inserts: NewArtifact[];
}

export interface Units {
  /** The unit of the request that is being served, or of the one that is named. */
  current(context?: object): Unit;
  /** Writes what has been gathered, all or nothing: the guards first. Throws what {@link AlreadyUsed} carries. */
  commit(context?: object): Promise<void>;
  /** Forgets what was gathered. */
  discard(context: object): void;
}

/** `endFamily` is called, outside the transaction, when a guard has caught a second use. */
export function createUnits(storage: Storage, endFamily: (grantId: string) => Promise<void>): Units {
  const units = new WeakMap<object, Unit>();

  function unitOf(context: object): Unit {
    let unit = units.get(context);
    if (!unit) {
      unit = {
        artifacts: new Map(),
        aliases: new Map(),
        users: new Map(),
        sessions: new Map(),
        grants: new Map(),
        ended: new Map(),
        browser: undefined,
        login: undefined,
        interaction: undefined,
        writes: [],
        inserts: [],
      };
      units.set(context, unit);
    }
    return unit;
  }

  function currentContext(): object {
    const context = Provider.ctx;
    if (!context) throw new Error('the OpenID provider reads and writes within a request only');
    return context;
  }

  return {
    current: (context = currentContext()) => unitOf(context),
    discard: (context) => void units.delete(context),
    async commit(context = currentContext()) {
      const unit = unitOf(context);
      const writes = unit.writes.splice(0);
      const inserts = unit.inserts.splice(0);
      if (writes.length === 0 && inserts.length === 0) return;
      try {
        if (await writeAtOnce(storage.db, writes, inserts)) return;
        await storage.transaction((tx) => writeInTurn(tx, writes, inserts));
      } catch (error) {
        if (!(error instanceof AlreadyUsed)) throw error;
        if (error.grantId !== null) await endFamily(error.grantId);
        throw error.answer;
      }
    },
  };
}

/** One statement, where all writes are guards. False: nothing was written, and a transaction is to say why. */
async function writeAtOnce(db: Db, writes: Write[], inserts: NewArtifact[]): Promise<boolean> {
  const guards = writes.flatMap((write) => (typeof write === 'function' ? [] : [write.guard(db)]));
  if (guards.length < writes.length) return false;
  return writeTogether(db, guards, inserts.length > 0 ? [inserting(inserts)] : []);
}

async function writeInTurn(tx: Tx, writes: Write[], inserts: NewArtifact[]): Promise<void> {
  for (const write of writes) {
    if (typeof write === 'function') await write(tx);
    else if (!(await happened(tx, write.guard(tx)))) throw write.lost();
  }
  if (inserts.length > 0) await sendRiders(tx, [inserting(inserts)]);
}
