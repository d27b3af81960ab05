import { randomBytes } from 'node:crypto';
import type { Context } from '../../src/app.ts';
import { after } from '../../src/lib/clock.ts';
import { json } from '../../src/storage/index.ts';
import type { User } from '../../src/users/types.ts';

const dayMs = 86_400_000;
const id = (prefix: string): string => `${prefix}_${randomBytes(16).toString('base64url')}`;

/** Rows of the tables that a sign-in leaves empty, as their owners write them. */
export async function plantRows({ clock, crypto, storage, users }: Context, user: User): Promise<void> {
  const now = clock.now();
  const [hour, day, year] = [after(now, dayMs / 24), after(now, dayMs), after(now, 365 * dayMs)];
  const { db } = storage;
  const elsewhere = crypto.mac('identifier', '+447700900999');
  const message = id('msg');
  await storage.transaction(async (tx) => {
    const secret = 'JBSWY3DPEHPK3PXP';
    const authenticator = { userId: user.id, type: 'totp', label: 'Phone', data: {}, secret };
    await users.credentials.add(tx, authenticator, 1, now);
    await users.setSecondPhone(tx, user.id, '+447700900998', now);
  });
  await db
    .insertInto('message_timers')
    .values({
      message_id: message,
      sealed: crypto.seal('message', '{}', message),
      next_at: year,
      expires_at: year,
    })
    .execute();
  await db
    .insertInto('number_lookups')
    .values({
      ...{ number_hash: elsewhere, line_type: 'mobile', sim_swapped_at: null },
      ...{ looked_up_at: now, expires_at: day },
    })
    .execute();
  await db
    .insertInto('stopped_numbers')
    .values({
      ...{ id: id('stp'), to_hash: elsewhere, to_last2: '99', to_country: 'GB' },
      ...{ provider_id: 'main', stopped_at: now },
    })
    .execute();
  await db
    .insertInto('remembered_devices')
    .values({
      ...{
        id: id('rdv'),
        user_id: user.id,
        generation: 1,
        rotated_at: now,
        passes: json({}),
        ip: '127.0.0.1',
      },
      ...{ user_agent: null, created_at: now, last_used_at: now, expires_at: year },
      ...{ revoked_at: null, revoked_reason: null },
    })
    .execute();
  await db
    .insertInto('enrolment_requests')
    .values({ user_id: user.id, flow_id: 'password-sms', step: 'second', asked_at: now })
    .execute();
  await db
    .insertInto('recovery_links')
    .values({
      ...{ token_hash: crypto.mac('identifier', 'a link'), user_id: user.id, created_by: 'cli' },
      ...{ created_at: now, expires_at: hour, used_at: null },
    })
    .execute();
}
