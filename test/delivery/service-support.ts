import { randomBytes } from 'node:crypto';
import type { Test } from 'tap';
import { createAudit } from '../../src/audit/index.ts';
import { createCrypto } from '../../src/crypto/index.ts';
import type { Crypto } from '../../src/crypto/types.ts';
import {
  channelsSection,
  createDelivery,
  type DeliveryDeps,
  type DeliveryService,
  providersSection,
} from '../../src/delivery/index.ts';
import type { NewMessage, Outcome, OutgoingMessage } from '../../src/delivery/types.ts';
import type { Logger } from '../../src/lib/log.ts';
import type { Db, Storage } from '../../src/storage/types.ts';
import { silent } from '../helpers/log.ts';
import { references } from './support.ts';

export const cryptoOf = (bytes: Buffer): Crypto => createCrypto([{ id: 'k1', bytes }]);
export const keyBytes = randomBytes(32);
export const crypto = cryptoOf(keyBytes);
export const issuer = new URL('https://id.example');
const start = new Date('2026-03-01T10:00:00Z');

export interface Instance {
  delivery: DeliveryService;
  told: { id: string; reference: string; outcome: Outcome }[];
}

export interface Bench extends Instance {
  now: Date;
  /** Another instance on the same database. */
  another(storage: Storage): Promise<Instance>;
  queue(message?: Partial<NewMessage>): Promise<OutgoingMessage>;
}

export const section = (storage: Storage) =>
  providersSection({ crypto, references, revisions: storage.revisions });

/** A provider of preset `http` that speaks to the URL. */
export const httpProvider = <T extends object>(id: string, url: string, http?: T, members: object = {}) => ({
  id,
  channel: 'sms',
  preset: 'http',
  ...members,
  http: {
    url,
    payload: '{"id":$ctx.id,"to":$ctx.num,"text":$ctx.msg}',
    allowPrivateNetwork: true,
    ...(http as T),
  },
});

export async function saveProviders(storage: Storage, documents: Record<string, unknown>[]): Promise<void> {
  await storage.transaction(async (tx) => {
    for (const [position, raw] of documents.entries()) {
      await section(storage).save(tx, { raw, resolved: raw }, position, start);
    }
  });
}

export async function saveChannels(storage: Storage, documents: Record<string, unknown>[]): Promise<void> {
  const channels = channelsSection({ revisions: storage.revisions });
  await storage.transaction(async (tx) => {
    for (const raw of documents) await channels.save(tx, { raw, resolved: raw }, 0, start);
  });
}

export async function openBench(
  t: Test,
  storage: Storage,
  providers: Record<string, unknown>[],
  log: Logger = silent,
  count: NonNullable<DeliveryDeps['count']> = () => {},
  guard: NonNullable<DeliveryDeps['guard']> | null = null,
): Promise<Bench> {
  await saveProviders(storage, providers);
  const another = (on: Storage) => openInstance(t, on, () => bench.now, log, count, guard);
  const bench: Bench = {
    ...(await openInstance(t, storage, () => bench?.now ?? start, log, count, guard)),
    now: start,
    another,
    queue: (message = {}) =>
      storage.transaction((tx) =>
        bench.delivery.queue(
          tx,
          { ...newMessage, freshUntil: new Date(bench.now.getTime() + 300_000), ...message },
          bench.now,
        ),
      ),
  };
  return bench;
}

async function openInstance(
  t: Test,
  storage: Storage,
  now: () => Date,
  log: Logger,
  count: NonNullable<DeliveryDeps['count']>,
  guard: NonNullable<DeliveryDeps['guard']> | null,
): Promise<Instance> {
  const delivery = await createDelivery({
    storage,
    crypto,
    clock: { now },
    log,
    references,
    issuer,
    audit: createAudit(),
    count,
    ...(guard && { guard }),
  });
  t.teardown(() => delivery.close());
  const told: Instance['told'] = [];
  delivery.onOutcome((_db, { id, reference }, outcome) => {
    told.push({ id, reference, outcome });
    return [];
  });
  return { delivery, told };
}

export const newMessage: Omit<NewMessage, 'freshUntil'> = {
  channel: 'sms',
  purpose: 'login-code',
  reference: 'code_1',
  to: '+447700900123',
  text: 'Your code is 493817',
  code: '493817',
  locale: 'en',
  app: { id: 'shop', name: 'Demo shop' },
  user: { id: 'usr_1', attributes: {} },
  loginId: 'login_1',
};

export const rowOf = (db: Db, id: string) =>
  db.selectFrom('messages').selectAll().where('id', '=', id).executeTakeFirstOrThrow();

/** Everything in the tables that delivery and audit write, as text. */
export async function dump(db: Db): Promise<string> {
  const tables = ['messages', 'providers', 'simulator_messages', 'audit_events'] as const;
  const rows = await Promise.all(tables.map((table) => db.selectFrom(table).selectAll().execute()));
  return JSON.stringify(rows);
}

export const eventsOf = async (db: Db): Promise<string[]> => {
  const events = await db
    .selectFrom('audit_events')
    .select(['name', 'data'])
    .orderBy('at')
    .orderBy('id')
    .execute();
  return events
    .map(({ name, data }) => `${name} ${(data as { provider?: string } | null)?.provider ?? '-'}`)
    .sort();
};
