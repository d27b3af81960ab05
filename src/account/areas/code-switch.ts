import type { Demand } from '../../flows/types.ts';
import { type Catalogue, type Text, text } from '../../lib/texts.ts';
import { sendRiders } from '../../storage/index.ts';
import { accountId } from '../app.ts';
import { endOthers, heldBack } from '../factors/change.ts';
import { demandsOf, namesOf } from '../factors/demands.ts';
import type { AccountDeps, Answer, Area, Submitted, Visit, Visitor } from '../types.ts';

export const codeSwitchTexts: Catalogue = {
  'account.code.title': 'Code when signing in',
  'account.code.on': 'On',
  'account.code.off': 'Off',
  'account.code.offUntil': 'Off until {date}',
  'account.code.required': 'On: your apps ask everybody for it',
  'account.code.action': 'Change it',
  'account.code.sentence':
    'After your password we send a code to your phone. A stolen password alone is then of no use to anybody.',
  'account.code.sentenceOff':
    'We send no code at the apps named here. If you have set up nothing else, your password alone is enough there.',
  'account.code.canBeOff': 'You can do without it at: {apps}',
  'account.code.holds': 'Without the code: {apps}',
  'account.code.holdsNot': 'Still with a code, because the app requires it: {apps}',
  'account.code.nowhere':
    'Every app that you can sign in to here requires the code, so it cannot be switched off.',
  'account.code.until': 'Off until the end of this day (empty: until you switch it on again)',
  'account.code.zone': 'The day ends at midnight in Greenwich (UTC).',
  'account.code.badDate': 'Please choose a day within the next year, or leave this empty.',
  'account.code.switchOff': 'Switch the code off',
  'account.code.change': 'Change the day',
  'account.code.switchOn': 'Switch the code on',
  'account.code.isOff': 'The code is off.',
  'account.code.isOn': 'The code is on again.',
};

const dayMs = 24 * 60 * 60_000;
const longestMs = 366 * dayMs;
const place = '/account/code';

/** Whether a message with a code is sent at all. Apps decide whether their users may do without. */
export function codeSwitchArea(deps: AccountDeps): Area {
  return {
    id: 'code',
    card: (visitor, locale) => cardOf(deps, visitor, locale),
    routes(area) {
      area.get('code', (visit) => page(deps, visit));
      area.post('code/off', { sensitive: true, page: 'code', keeps: ['until'] }, (visit) =>
        switchOff(deps, visit),
      );
      // With the code, too: it shows that the phone is still at hand.
      area.post('code/on', { sensitive: true, page: 'code' }, (visit) => switchOn(deps, visit));
    },
  };
}

/** Apps that ask for such a code, these pages apart. */
async function asking(deps: AccountDeps): Promise<Record<'allowed' | 'refused', Demand['app'][]>> {
  const demands = (await demandsOf(deps)).filter(({ app }) => app.id !== accountId);
  const which = (said: Demand['codeOff']) =>
    demands.filter(({ codeOff }) => codeOff === said).map(({ app }) => app);
  return { allowed: which('allowed'), refused: which('refused') };
}

async function cardOf(deps: AccountDeps, { user }: Visitor, locale: string) {
  const { allowed, refused } = await asking(deps);
  const concerned = user.codeOff || user.phone !== null;
  if (!concerned || allowed.length + refused.length === 0) return null;
  const title = text('account.code.title');
  if (!user.codeOff && allowed.length === 0) {
    return { title, state: text('account.code.required'), action: null };
  }
  const { codeOff, codeOffUntil: until } = user;
  const off = until
    ? text('account.code.offUntil', { date: lastDay(until, locale) })
    : text('account.code.off');
  return {
    title,
    state: codeOff ? off : text('account.code.on'),
    action: { label: text('account.code.action'), href: place },
  };
}

/** It ends with the day in Greenwich: the zone of the reader is not known. */
const lastDay = (until: Date, locale: string): string =>
  new Intl.DateTimeFormat(locale, { dateStyle: 'long', timeZone: 'UTC' }).format(until.getTime() - 1);

async function page(
  deps: AccountDeps,
  visit: Visit & { body?: Record<string, string> },
  fault: Text | null = null,
): Promise<Answer> {
  const { allowed, refused } = await asking(deps);
  const { body, locale, now, typed, user } = visit;
  const held = heldBack(visit);
  const { codeOff, codeOffUntil: until } = user;
  const present = until ? new Date(until.getTime() - 1).toISOString().slice(0, 10) : '';
  const days = (ms: number) => new Date(now.getTime() + ms).toISOString().slice(0, 10);
  return {
    page: {
      ...{ view: 'account/code', title: text('account.code.title'), error: fault !== null },
      ...(fault && { status: 422 }),
      notices: held ? [{ tone: 'warning', text: held }] : [],
      data: {
        ...{ codeOff, fault, mayOff: allowed.length > 0 && held === null },
        state: codeOff && until ? text('account.code.offUntil', { date: lastDay(until, locale) }) : null,
        allowed: namesOf(allowed, locale),
        refused: namesOf(refused, locale),
        until: { value: body?.until ?? typed.until ?? present, min: days(0), max: days(longestMs) },
      },
    },
  };
}

async function switchOff(deps: AccountDeps, visit: Submitted): Promise<Answer> {
  const { allowed } = await asking(deps);
  if (heldBack(visit) || allowed.length === 0) return page(deps, visit, null);
  const until = endOf(visit.body.until ?? '', visit.now);
  if (until === 'faulty') return page(deps, visit, text('account.code.badDate'));
  await turn(deps, visit, { off: true, until });
  return { to: place, done: text('account.code.isOff') };
}

async function switchOn(deps: AccountDeps, visit: Submitted): Promise<Answer> {
  if (visit.user.codeOff) await turn(deps, visit, { off: false, until: null });
  return { to: place, done: text('account.code.isOn') };
}

/** The moment at which the day is over. */
function endOf(typed: string, now: Date): Date | null | 'faulty' {
  if (typed === '') return null;
  const day = /^\d{4}-\d\d-\d\d$/.test(typed) ? new Date(`${typed}T00:00:00Z`) : new Date(Number.NaN);
  const until = new Date(day.getTime() + dayMs);
  const leftMs = until.getTime() - now.getTime();
  return leftMs > 0 && leftMs <= longestMs + dayMs ? until : 'faulty';
}

async function turn(
  deps: AccountDeps,
  visit: Submitted,
  { off, until }: { off: boolean; until: Date | null },
): Promise<void> {
  const { audit, notices, storage, users } = deps;
  const { by, locale, now, user } = visit;
  const kind = off ? 'code-off' : 'code-on';
  const told = await notices.drafting(storage.db, user, { kind, locale, ip: by.ip ?? null }, now);
  await storage.transaction(async (tx) => {
    await users.setCodeOff(tx, user.id, off, until, now);
    await endOthers(deps, tx, visit);
    const data = off ? { until: until?.toISOString() ?? null } : {};
    const event = { ...by, subject: user.id, name: off ? 'user.code_off' : 'user.code_on', data };
    await sendRiders(tx, [...told.riders, ...audit.riders(tx, now, [event])]);
  });
  told.send();
}
