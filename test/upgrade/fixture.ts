import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Snapshot } from '../../src/storage/types.ts';
import { alice, type Files, shop, standard } from '../helpers/gateway.ts';

export const fixtures = join(import.meta.dirname, '../fixtures/schema');

/** What people and applications held when the dump was taken. */
export interface Held {
  /** When, in ISO 8601. */
  takenAt: string;
  user: { username: string; password: string; phone: string };
  /** Not used yet. */
  backupCode: string;
  usedBackupCode: string;
  app: { id: string; secret: string; redirectUri: string };
  refreshToken: string;
  /** A refresh token that was replaced by another one. */
  usedRefreshToken: string;
  session: { cookie: string; value: string };
}

/** The provider's address is a reference: the dump's SMS gateway is long gone when it is read. */
export const smsVariable = 'FIXTURE_SMS_URL';

/** Everything of the standard configuration, and what leaves rows in further tables. */
export function fixtureFiles(): Files {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: a reference
  const files = standard('${env:FIXTURE_SMS_URL}');
  return {
    ...files,
    gateway: {
      name: 'Sallyport',
      guard: {
        sends: { perNumber: ['50 in 1d'], perUser: [], perAddress: [] },
        alerts: {
          url: 'https://alerts.example.test/',
          secret: `whsec_${Buffer.alloc(32, 7).toString('base64')}`,
        },
      },
    },
    channels: [{ id: 'sms', providers: ['main', 'phone'] }],
    messages: [{ app: shop.id, text: '{{code}} is your code for {{app}}.' }],
    attributes: [{ name: 'department', type: 'string' }],
    apps: files.apps.map((app) => ({
      ...app,
      scopes: ['openid', 'profile', 'email', 'phone', 'groups', 'offline_access'],
      // Nobody is there: it stays to be told.
      backchannelLogoutUri: 'http://127.0.0.1:9/logout',
      allowPrivateNetwork: true,
    })),
    // Takes over when the gateway does not answer.
    providers: [...files.providers, { id: 'phone', channel: 'sms', preset: 'simulator' }],
  };
}

export const held = { user: alice, app: shop };

export const readHeld = (name: string): Held =>
  JSON.parse(readFileSync(join(fixtures, `${name}.held.json`), 'utf8')) as Held;

/**
 * A dump as if it had been taken just now: everything in it that is a moment is moved by the time that has passed, so
 * that what was valid then is valid at any later run of the tests.
 */
export function movedToNow(snapshot: Snapshot, takenAt: string, now: Date): Snapshot {
  const byMs = now.getTime() - new Date(takenAt).getTime();
  return {
    migrations: snapshot.migrations,
    tables: snapshot.tables.map((table) => ({
      ...table,
      async *rows() {
        for await (const rows of table.rows())
          yield rows.map((row) => JSON.stringify(moved(JSON.parse(row), byMs)));
      },
    })),
  };
}

const iso = /^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;

/** Numbers of this size are seconds or milliseconds since 1970: nothing else in the tables grows so large. */
function moved(value: unknown, byMs: number): unknown {
  if (typeof value === 'string')
    return iso.test(value) ? new Date(Date.parse(value) + byMs).toISOString() : value;
  if (typeof value === 'number') {
    if (value > 1.7e12 && value < 2.5e12) return value + byMs;
    if (value > 1.7e9 && value < 2.5e9) return Math.round(value + byMs / 1000);
    return value;
  }
  if (Array.isArray(value)) return value.map((one) => moved(one, byMs));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, moved(one, byMs)]));
}
