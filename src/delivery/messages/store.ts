import { sql } from 'kysely';
import { after } from '../../lib/clock.ts';
import { drawn, type Guard, type Rider, type Slots } from '../../storage/index.ts';
import type { Db } from '../../storage/types.ts';
import { isStopped } from '../receipts/stops.ts';
import { facts, type MessageFacts } from '../store.ts';
import type { Destination, MessageState, NewMessage } from '../types.ts';

/*
 * The way of one message: queued, attempted, ended, used. On the way of a login, so these are drawn up once.
 */

const KEPT_MS = 30 * 86_400_000;

type Queued = Omit<MessageFacts, 'provider_id'> & {
  destination: string;
  hash: string;
  last2: string;
  text: string;
  locale: string;
  now: Date;
  expiresAt: Date;
};

const queueing = drawn((db, slots: Slots<Queued>) =>
  db.insertInto('messages').values({
    ...{ id: slots.id, channel: slots.channel, purpose: slots.purpose, reference: slots.reference },
    ...{ provider_id: null, user_id: slots.user_id, login_id: slots.login_id },
    ...{ app_id: slots.app_id, to_country: slots.to_country, fresh_until: slots.fresh_until },
    to_sealed: slots.destination,
    to_hash: slots.hash,
    to_last2: slots.last2,
    text_sealed: slots.text,
    locale: slots.locale,
    status: 'queued',
    created_at: slots.now,
    expires_at: slots.expiresAt,
  }),
);

/** What writes a new message, and what is known of it. */
export function insertQueued(
  id: string,
  message: NewMessage,
  sealed: { destination: Destination; text: string },
  now: Date,
): { known: MessageFacts; insert: Rider } {
  const { destination, text } = sealed;
  const known: MessageFacts = {
    ...{ id, channel: message.channel, purpose: message.purpose, reference: message.reference },
    ...{ provider_id: null, user_id: message.user?.id ?? null, login_id: message.loginId },
    ...{ app_id: message.app?.id ?? null, to_country: destination.country, fresh_until: message.freshUntil },
  };
  const insert = queueing({
    ...known,
    ...{ destination: destination.sealed, hash: destination.hash, last2: destination.last2 },
    ...{ text, locale: message.locale, now, expiresAt: after(now, KEPT_MS) },
  });
  return { known, insert };
}

interface Attempt {
  id: string;
  providerId: string;
  keepsCode: boolean;
  wantsUse: boolean;
  now: Date;
}

type Hash = { hash: string };

const attempting = (db: Db, slots: Slots<Attempt>, hashes: Slots<Hash>[]) =>
  db
    .updateTable('messages')
    .set({
      ...{ status: 'sending', provider_id: slots.providerId, sending_at: slots.now },
      ...{ keeps_code: slots.keepsCode, wants_use: slots.wantsUse },
    })
    .where('id', '=', slots.id)
    .where(({ not }) => not(isStopped(hashes.map(({ hash }) => hash))));

const first = drawn((db, slots: Slots<Attempt>, hashes: Slots<Hash>[]) =>
  attempting(db, slots, hashes)
    .where('status', '=', 'queued')
    .where('fresh_until', '>', slots.now)
    .returning(facts),
);

const next = drawn((db, slots: Slots<Attempt & { from: string }>, hashes: Slots<Hash>[]) =>
  attempting(db, slots, hashes)
    .where('status', '=', 'sending')
    .where('provider_id', '=', slots.from)
    .returning(facts),
);

/**
 * The right to one attempt: of many instances exactly one gets it. `from`: the provider of the attempt before. `hashes`:
 * of the number, which nobody may write to when it has asked for no more messages.
 */
export function claim(
  db: Db,
  attempt: Omit<Attempt, 'now'> & { from: string | null; hashes: string[] },
  now: Date,
): Promise<MessageFacts | undefined> {
  const { from, ...right } = attempt;
  const hashes = attempt.hashes.map((hash) => ({ hash }));
  return from === null
    ? first.first(db, { ...right, now }, hashes)
    : next.first(db, { ...right, from, now }, hashes);
}

interface End {
  status: MessageState;
  reason: string | null;
  gatewayId: string | null;
}

type Ending = End & { id: string; had: 'queued' | 'sending'; provider: string | null; now: Date };

const ending = (db: Db, slots: Slots<Ending>) =>
  db
    .updateTable('messages')
    .set({
      status: slots.status,
      reason: slots.reason,
      gateway_id: slots.gatewayId,
      final_at: slots.now,
      text_sealed: null,
    })
    .where('id', '=', slots.id)
    .where('status', '=', slots.had)
    .returning('id');

const endingUntried = drawn(ending);

const endingTried = drawn((db, slots: Slots<Ending>) =>
  ending(db, slots).where('provider_id', '=', slots.provider),
);

/** Ends a message that is still in the state in which the caller had it; finds no row when somebody else ended it. */
export function finishing(
  message: { id: string; status: 'queued' | 'sending'; provider_id: string | null },
  end: End,
  now: Date,
): Guard {
  const { id, provider_id: provider, status: had } = message;
  return (provider === null ? endingUntried : endingTried)({ ...end, id, had, provider, now });
}

const using = drawn(
  (_db, slots: Slots<{ reference: string; now: Date }>) => sql`
    update messages set verified_at = ${slots.now}::timestamptz,
      use_due_at = case when wants_use then ${slots.now}::timestamptz end
    where id in (
      select id from messages where reference = ${slots.reference} and verified_at is null for update skip locked
    )`,
);

/**
 * Marks what was used. A row that is just being written is passed over instead of waited for: whoever writes it may wait
 * for the code's own row, which is held here.
 */
export const verifying = (reference: string, now: Date): Rider => using({ reference, now });
