import { type Text, text } from '../../lib/texts.ts';
import type { NoticeKind } from '../../notices/types.ts';
import { sendRiders } from '../../storage/index.ts';
import type { Tx } from '../../storage/types.ts';
import type { User } from '../../users/types.ts';
import type { AccountDeps, Answer, Submitted, Visit } from '../types.ts';
import { endOthers, heldBack } from './change.ts';
import { appsInUse, Losing, whyNot } from './demands.ts';
import { showNumbers } from './phone-pages.ts';
import { isStampOf } from './stamp.ts';

/*
 * What is done to numbers that are proved.
 */

/** Rolls a change back: the numbers are not those of the form. */
class Moved extends Error {
  readonly present: User | undefined;
  constructor(present: User | undefined) {
    super('the numbers have changed');
    this.present = present;
  }
}

interface Change {
  kind: NoticeKind;
  values?: Record<string, string>;
  event: { name: string; data: Record<string, string> };
  done: Text;
  /** Throws {@link Losing}. */
  write(tx: Tx, present: User): Promise<void>;
}

async function apply(deps: AccountDeps, visit: Submitted, change: Change): Promise<Answer> {
  const { audit, notices, storage, users } = deps;
  const { body, by, locale, now, user } = visit;
  const proved = [user.phoneVerified ? user.phone : null, user.secondPhone].flatMap((one) => one ?? []);
  const { done, event, kind, values = {} } = change;
  const notice = { kind, values, locale, ip: by.ip ?? null, phone: proved };
  const told = await notices.drafting(storage.db, user, notice, now);
  try {
    await storage.transaction(async (tx) => {
      const present = await users.lock(tx, user.id);
      if (!present || !isStampOf(deps, body.numbers ?? '', present)) throw new Moved(present);
      await change.write(tx, present);
      await endOthers(deps, tx, visit);
      const riders = audit.riders(tx, now, [{ ...by, subject: user.id, ...event }]);
      await sendRiders(tx, [...told.riders, ...riders]);
    });
  } catch (error) {
    return insteadOf(deps, visit, error);
  }
  told.send();
  return { to: '/account', done };
}

/** The page with why nothing was changed. Throws what is none of that. */
function insteadOf(deps: AccountDeps, visit: Submitted, error: unknown): Answer {
  if (error instanceof Losing) {
    const why = whyNot('account.phone', error.losses, visit.locale);
    const more = why.map((said) => ({ tone: 'error' as const, text: said }));
    return showNumbers(deps, visit, null, 409, more);
  }
  if (!(error instanceof Moved)) throw error;
  const more = [{ tone: 'warning' as const, text: text('account.phone.moved') }];
  const user = error.present ?? visit.user;
  return showNumbers(deps, { ...visit, user }, null, 409, more);
}

const last2Of = (number: string): string => number.slice(-2);

/** What stands in the way of a change, if anything. */
const refused = (deps: AccountDeps, visit: Visit): Answer | null =>
  heldBack(visit) ? showNumbers(deps, visit, null, 403) : null;

/** Giving the number up must be no way around the code: what it would do in each app is looked at with it already gone. */
export async function removeFirst(deps: AccountDeps, visit: Submitted): Promise<Answer> {
  const { flows, users } = deps;
  const { now, user } = visit;
  const held = refused(deps, visit);
  if (held) return held;
  const { phone, secondPhone } = user;
  if (phone === null) return { to: '/account/phone' };
  const apps = await appsInUse(deps);
  const two = secondPhone !== null;
  return apply(deps, visit, {
    ...(two ? { kind: 'number-removed', values: { last2: last2Of(phone) } } : { kind: 'phone-removed' }),
    event: {
      name: 'user.factor_removed',
      data: { factor: 'sms-otp', ...(two && { number: 'first' }) },
    },
    done: two
      ? text('account.phone.promoted', { last2: last2Of(secondPhone) })
      : text('account.phone.removed'),
    async write(tx, present) {
      await users.removePhone(tx, user.id, now);
      const next = present.secondPhone;
      const left = { ...present, phone: next, phoneVerified: next !== null, secondPhone: null };
      const losses = await flows.losses(tx, apps, left, 'sms-otp');
      if (losses.length > 0) throw new Losing(losses);
    },
  });
}

/** Codes still go to the first. */
export async function removeSecond(deps: AccountDeps, visit: Submitted): Promise<Answer> {
  const { now, user } = visit;
  const held = refused(deps, visit);
  if (held) return held;
  if (user.secondPhone === null) return { to: '/account/phone' };
  return apply(deps, visit, {
    ...{ kind: 'number-removed', values: { last2: last2Of(user.secondPhone) } },
    event: { name: 'user.factor_removed', data: { factor: 'sms-otp', number: 'second' } },
    done: text('account.phone.secondRemoved'),
    write: (tx) => deps.users.removeSecondPhone(tx, user.id, now),
  });
}

/** The second becomes the first, and the first the second. */
export async function swapNumbers(deps: AccountDeps, visit: Submitted): Promise<Answer> {
  const { now, user } = visit;
  const held = refused(deps, visit);
  if (held) return held;
  if (user.secondPhone === null) return { to: '/account/phone' };
  const values = { last2: last2Of(user.secondPhone) };
  return apply(deps, visit, {
    ...{ kind: 'numbers-swapped', values },
    event: { name: 'user.changed', data: { member: 'phone' } },
    done: text('account.phone.swapped', values),
    write: (tx) => deps.users.swapPhones(tx, user.id, now),
  });
}
