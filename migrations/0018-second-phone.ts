import { type Kysely, sql } from 'kysely';

/** Anything that nothing else locks. */
const LOCK = 7_305_418_221_904;

/*
 * A proved number is somebody's at one place only, and two unique indexes do not see each other. The trigger makes them: who
 * writes a second number waits for everybody who is writing a number, who writes a first one only for writers of second
 * ones. It holds for instances of an older version, too, which know nothing of a second number: where they take the first
 * one away, the second takes its place. The search path of the migration stays with it, for tools that restore rows
 * without one.
 */
const statements = [
  `alter table users add column second_phone text`,
  `create unique index users_second_phone on users (second_phone) where second_phone is not null`,
  `create function users_one_account_per_number() returns trigger language plpgsql set search_path from current as $$
    begin
      if new.phone is null and new.second_phone is not null then
        new.phone := new.second_phone;
        new.phone_verified := true;
        new.second_phone := null;
      end if;
      if new.second_phone is not null then
        perform pg_advisory_xact_lock(${LOCK});
        if new.second_phone = new.phone or exists (
          select 1 from users where phone = new.second_phone and phone_verified and id <> new.id
        ) then
          raise unique_violation using message = 'the number is proved already', constraint = 'users_second_phone';
        end if;
      end if;
      if new.phone_verified and new.phone is not null then
        perform pg_advisory_xact_lock_shared(${LOCK});
        if exists (select 1 from users where second_phone = new.phone and id <> new.id) then
          raise unique_violation using message = 'the number is proved already', constraint = 'users_phone_verified';
        end if;
      end if;
      return new;
    end
  $$`,
  `create trigger users_one_account_per_number
    before insert or update of phone, phone_verified, second_phone on users
    for each row execute function users_one_account_per_number()`,
];

/** A second number beside the first; it is stored once it is proved. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
