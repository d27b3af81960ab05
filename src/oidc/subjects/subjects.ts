import { createHmac, randomBytes } from 'node:crypto';
import { errors } from 'oidc-provider';
import type { App, Apps } from '../../apps/types.ts';
import type { Crypto } from '../../crypto/types.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Db } from '../../storage/types.ts';
import type { User } from '../../users/types.ts';
import { findArtifact, insertOnce } from '../store.ts';

/** The row that keeps the salt. It never ends: with another salt every app of this kind would lose its users. */
const saltKey = 'pairwise-salt';

export interface SubjectsDeps {
  db: Db;
  apps: Apps;
  crypto: Crypto;
  clock: Clock;
  findUser(id: string): Promise<User | undefined>;
}

export interface Subjects {
  /** What stands in `sub` for this app. Throws AccessDenied when the account lacks what the app knows its users by. */
  subjectOf(appId: string, userId: string): Promise<string>;
}

/** Who a user is to an app (OpenID Connect Core, section 8). */
export function createSubjects(deps: SubjectsDeps): Subjects {
  let salt: Promise<string> | undefined;

  async function knownSalt(): Promise<string> {
    salt ??= readSalt(deps);
    try {
      return await salt;
    } catch (error) {
      salt = undefined;
      throw error;
    }
  }

  return {
    async subjectOf(appId, userId) {
      const app = await deps.apps.find(deps.db, appId);
      if (!app) throw new errors.InvalidClient('client is invalid');
      if (app.subjectType === 'pairwise') {
        return createHmac('sha256', await knownSalt())
          .update(`${sectorOf(app)}\n${userId}`)
          .digest('base64url');
      }
      if (app.subjectClaim === null) return userId;
      const user = await deps.findUser(userId);
      const subject = user && identifierOf(user, app.subjectClaim);
      if (subject !== undefined) return subject;
      throw new errors.AccessDenied(`this account has no verified ${app.subjectClaim}, which the app needs`);
    },
  };
}

/** Apps at one host belong together: they may know that they have the same user. */
const sectorOf = (app: App): string => new URL(app.redirectUris[0] ?? '').host;

/** An address or number that nobody has proven may be another person's: whoever entered it would become them. */
function identifierOf(user: User, claim: NonNullable<App['subjectClaim']>): string | undefined {
  switch (claim) {
    case 'preferred_username':
      return user.username;
    case 'email':
      return user.emailVerified ? (user.email ?? undefined) : undefined;
    case 'phone_number':
      return user.phoneVerified ? (user.phone ?? undefined) : undefined;
  }
}

/**
 * Kept sealed in the database and not derived from `SECRET_KEY`: identifiers stay when that key is replaced. Without
 * a secret, an app that knows a user's public identifier could compute all the others.
 */
async function readSalt({ db, crypto, clock }: SubjectsDeps): Promise<string> {
  await insertOnce(db, {
    id_hash: saltKey,
    model: 'Salt',
    grant_id: null,
    session_id: null,
    user_id: null,
    app_id: null,
    payload: { sealed: crypto.seal('oidc-cookie', randomBytes(32).toString('base64url'), saltKey) },
    consumed_at: null,
    created_at: clock.now(),
    expires_at: null,
  });
  const row = await findArtifact(db, saltKey);
  return crypto.open('oidc-cookie', String(row?.payload.sealed), saltKey);
}
