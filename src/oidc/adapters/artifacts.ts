import Provider, { type Adapter, type AdapterPayload, errors, type KoaContextWithOIDC } from 'oidc-provider';
import { sha256 } from '../../crypto/index.ts';
import { after, type Clock } from '../../lib/clock.ts';
import { readJoined } from '../../sessions/index.ts';
import { sendRiders } from '../../storage/index.ts';
import type { Db } from '../../storage/types.ts';
import type { Users } from '../../users/types.ts';
import {
  type Artifact,
  consuming,
  deleteFamily,
  deleting,
  findWithOwners,
  type NewArtifact,
} from '../store.ts';
import { AlreadyUsed, type Units } from '../unit.ts';

/** Members that a row keeps elsewhere, or not at all because they are the secret itself. */
const kept = new Set(['jti', 'consumed']);

/** Seconds that one request may take, with room to spare. */
const graceSeconds = 60;

export const epoch = (at: Date): number => Math.floor(at.getTime() / 1000);

/** What the library never asks of a model that is used as ours are. */
export const unsupported: Adapter = {
  upsert: refuse,
  find: refuse,
  findByUserCode: refuse,
  findByUid: refuse,
  consume: refuse,
  destroy: refuse,
  revokeByGrantId: refuse,
};

async function refuse(): Promise<never> {
  throw new Error('not part of how this provider is set up');
}

/** The one place that decides who gets a refresh token: apps that may refresh and asked to stay (`offline_access`). */
export function refreshTokenDue(
  client: { grantTypeAllowed(type: string): boolean },
  source: { scope?: string | undefined },
): boolean {
  return (
    client.grantTypeAllowed('refresh_token') && (source.scope ?? '').split(' ').includes('offline_access')
  );
}

/** The last thing that a token request stores: with it everything is written, so that a lost race is answered well. */
function isLast(model: string): boolean {
  const context = Provider.ctx;
  if (context?.oidc.route !== 'token') return false;
  const { client, params, entities } = context.oidc;
  const refreshing = params?.grant_type === 'refresh_token';
  if (model === 'RefreshToken') return !refreshing;
  if (refreshing || !client) return model === 'AccessToken';
  return (
    model === 'AccessToken' &&
    !refreshTokenDue(client, entities.AuthorizationCode ?? entities.DeviceCode ?? {})
  );
}

/**
 * An authorization code has one chance: an exchange that failed once the code was read (a wrong verifier, another
 * address) uses it up, so that it cannot be tried again (RFC 9700, section 4.8.2).
 */
export async function burnCode(units: Units, context: KoaContextWithOIDC, now: Date): Promise<void> {
  const { route, client, params } = context.oidc;
  const refused = context.status >= 400 && context.status < 500;
  if (route !== 'token' || !refused || params?.grant_type !== 'authorization_code') return;
  const { artifacts, writes } = units.current(context);
  const row = await artifacts.get(sha256(String(params.code ?? '')));
  if (row?.model !== 'AuthorizationCode' || row.app_id !== client?.clientId || row.consumed_at !== null)
    return;
  writes.push((tx) => sendRiders(tx, [consuming(row.id_hash, now)]));
}

export interface ArtifactsDeps {
  db: Db;
  clock: Clock;
  units: Units;
  users: Users;
}

/** Codes and tokens: hashed at rest, read once per request, written together. */
export function createArtifacts(deps: ArtifactsDeps) {
  const { db, clock, units, users } = deps;

  /** One read however often a request asks: introspection tries a value as every kind of token. */
  function load(secret: string): Promise<Artifact | undefined> {
    const { artifacts } = units.current();
    const idHash = hashOf(units, secret);
    const found = artifacts.get(idHash) ?? read(idHash);
    artifacts.set(idHash, found);
    return found;
  }

  /** Whose it is will be asked next, so that comes along. */
  async function read(idHash: string): Promise<Artifact | undefined> {
    const unit = units.current();
    const found = await findWithOwners(db, idHash, clock.now());
    if (!found) return undefined;
    const { user, session, ...artifact } = found;
    const { session_id: sessionId, user_id: userId } = artifact;
    if (userId !== null) unit.users.set(userId, Promise.resolve(users.fromJoined(user)));
    if (sessionId !== null) unit.sessions.set(sessionId, readJoined(session));
    return artifact;
  }

  /** Ends all codes and tokens of a grant, once per request: the library asks model by model. */
  function endFamily(grantId: string): Promise<void> {
    const { ended } = units.current();
    const ending = ended.get(grantId) ?? deleteFamily(db, grantId);
    ended.set(grantId, ending);
    return ending;
  }

  return { load, adapter: (model: string) => artifactAdapter(deps, model, load, endFamily) };
}

function artifactAdapter(
  { db, clock, units }: ArtifactsDeps,
  model: string,
  load: (secret: string) => Promise<Artifact | undefined>,
  endFamily: (grantId: string) => Promise<void>,
): Adapter {
  return {
    ...unsupported,
    async upsert(id, payload, expiresIn) {
      units.current().inserts.push(rowOf(model, id, payload, keptFor(model, expiresIn), clock.now()));
      if (isLast(model)) await units.commit();
    },
    async find(id) {
      const row = await load(id);
      if (row?.model !== model) return undefined;
      const payload = row.payload as AdapterPayload;
      if (row.grant_id !== null) {
        units.current().grants.set(row.grant_id, {
          accountId: row.user_id ?? '',
          clientId: row.app_id ?? '',
          scope: payload.scope ?? '',
          resources: [payload.resource ?? []].flat(),
          claims: namedClaims(payload.claims),
        });
      }
      return { ...payload, jti: id, ...(row.consumed_at ? { consumed: epoch(row.consumed_at) } : {}) };
    },
    async consume(id) {
      const grantId = (await load(id))?.grant_id ?? null;
      const idHash = hashOf(units, id);
      units.current().writes.push({
        guard: () => consuming(idHash, clock.now()),
        lost: () => new AlreadyUsed(usedBefore(model), grantId),
      });
    },
    async destroy(id) {
      await deleting(db, sha256(id)).execute();
    },
    revokeByGrantId: endFamily,
  };
}

/** The key of a row: the hash of its secret, or what an alias made for this request stands for. */
const hashOf = (units: Units, secret: string): string =>
  units.current().aliases.get(secret) ?? sha256(secret);

/** The claims that a request has named, for ID token and userinfo together. */
const namedClaims = (claims: AdapterPayload['claims']): string[] =>
  Object.values(claims ?? {}).flatMap((names) => Object.keys(names ?? {}));

/** A pushed request that comes in its last second must find its row still there when somebody begins to log in. */
const keptFor = (model: string, seconds: number | undefined): number | undefined =>
  model === 'PushedAuthorizationRequest' && seconds !== undefined ? seconds + graceSeconds : seconds;

const usedBefore = (model: string): Error =>
  model === 'PushedAuthorizationRequest'
    ? new errors.InvalidRequestUri('request_uri is invalid, expired, or was already used')
    : new errors.InvalidGrant('used by another request at the same moment');

export function rowOf(
  model: string,
  secret: string,
  payload: AdapterPayload,
  expiresIn: number | undefined,
  now: Date,
): NewArtifact {
  return {
    id_hash: sha256(secret),
    model,
    grant_id: payload.grantId ?? null,
    session_id: payload.sessionUid ?? null,
    user_id: payload.accountId ?? null,
    app_id: payload.clientId ?? null,
    payload: Object.fromEntries(Object.entries(payload).filter(([name]) => !kept.has(name))),
    consumed_at: null,
    created_at: now,
    expires_at: expiresIn === undefined ? null : after(now, expiresIn * 1000),
  };
}
