import type { Authenticator, Field, Figure } from '../../flows/types.ts';
import { Problem } from '../../lib/problem.ts';
import { type Catalogue, type Text, text } from '../../lib/texts.ts';
import type { DraftedNotice } from '../../notices/types.ts';
import { sendRiders } from '../../storage/index.ts';
import type { Tx } from '../../storage/types.ts';
import { endOthers } from '../factors/change.ts';
import { appsInUse, isOfUse, Losing, whyNot } from '../factors/demands.ts';
import { withProblem } from '../factors/fields.ts';
import type { AccountDeps, Answer, Area, Notice, Submitted, Visit, Visitor } from '../types.ts';
import { whenOf } from '../when.ts';

export const authenticatorTexts: Catalogue = {
  'account.authenticator.title': 'Authenticator app',
  'account.authenticator.state': { one: 'Set up', other: '{count} set up' },
  'account.authenticator.stateNone': 'Not set up',
  'account.authenticator.action': 'Look after it',
  'account.authenticator.actionFirst': 'Set it up',
  'account.authenticator.sentence':
    'An app on your phone shows a new code every half minute. It needs neither signal nor messages.',
  'account.authenticator.unnamed': 'App without a name',
  'account.authenticator.added': 'Set up',
  'account.authenticator.used': 'Last used',
  'account.authenticator.never': 'Not used yet',
  'account.authenticator.remove': 'Remove',
  'account.authenticator.removeNamed': 'Remove: {name}',
  'account.authenticator.setUp': 'Set up an app',
  'account.authenticator.newTitle': 'Set up an authenticator app',
  'account.authenticator.scan':
    'Open the app, scan this picture with it, and type the code that it then shows.',
  'account.authenticator.code': 'Code from the app',
  'account.authenticator.label': 'What you call it (you can leave this empty)',
  'account.authenticator.confirm': 'Confirm',
  'account.authenticator.empty': 'Please type the code that the app shows.',
  'account.authenticator.gone': 'That took too long. Please begin again.',
  'account.authenticator.many': 'You have as many apps as you can have. Remove one of them first.',
  'account.authenticator.isAdded': 'Your authenticator app is set up.',
  'account.authenticator.removed': 'That app is removed. Its codes are of no use any more.',
  'account.authenticator.required':
    'Everybody is asked for something like this by {apps}. Set up another one first, then remove this one.',
  'account.authenticator.locked-out':
    'Without it you could not sign in to {apps} any more. Set up another one first, then remove this one.',
};

const place = '/account/authenticator';
const method = 'totp';
const longestLabel = 60;

/** Apps that show codes. One is set up while its secret is shown; one is given up where every app goes on without. */
export function authenticatorArea(deps: AccountDeps): Area {
  return {
    id: 'authenticator',
    card: (visitor) => cardOf(deps, visitor),
    routes(area) {
      const own = { sensitive: true, enrols: true };
      area.get('authenticator', (visit) => list(deps, visit));
      area.post('authenticator', own, (visit) => begin(deps, visit));
      area.get('authenticator/new', (visit) => scan(deps, visit), { sensitive: true });
      area.post('authenticator/new', { ...own, keeps: ['label'] }, (visit) => confirm(deps, visit));
      const removing = { sensitive: true, page: 'authenticator' };
      area.post('authenticator/:id/remove', removing, (visit) => remove(deps, visit));
    },
  };
}

async function cardOf(deps: AccountDeps, { user }: Visitor) {
  const { length: count } = await deps.authenticators.list(deps.storage.db, user.id);
  if (count === 0 && !(await isOfUse(deps, method))) return null;
  return {
    title: text('account.authenticator.title'),
    state:
      count === 0 ? text('account.authenticator.stateNone') : text('account.authenticator.state', { count }),
    action: {
      label: text(`account.authenticator.${count === 0 ? 'actionFirst' : 'action'}`),
      href: place,
    },
  };
}

async function list(deps: AccountDeps, visit: Visit, notices: Notice[] = []): Promise<Answer> {
  const { locale, now, user } = visit;
  const found = await deps.authenticators.list(deps.storage.db, user.id);
  const shown = ({ createdAt, id, label, lastUsedAt }: Authenticator) => ({
    ...{ id, label: label || text('account.authenticator.unnamed'), added: whenOf(createdAt, now, locale) },
    used: lastUsedAt && whenOf(lastUsedAt, now, locale),
  });
  return {
    page: {
      ...{ view: 'account/authenticator', title: text('account.authenticator.title'), notices },
      ...(notices.length > 0 && { error: true, status: 409 }),
      data: { authenticators: found.map(shown) },
    },
  };
}

const whose = ({ session, user }: Visit) => ({ user, sessionId: session.id });
const saying = (...said: Text[]): Notice[] => said.map((one) => ({ tone: 'error', text: one }));

async function begin(deps: AccountDeps, visit: Submitted): Promise<Answer> {
  try {
    await deps.authenticators.begin(whose(visit), visit.now);
  } catch (error) {
    if (!isTooMany(error)) throw error;
    return list(deps, visit, saying(text('account.authenticator.many')));
  }
  return { to: `${place}/new` };
}

const isTooMany = (error: unknown): boolean =>
  error instanceof Problem && error.code === 'too_many_authenticators';

async function scan(deps: AccountDeps, visit: Visit, problem: Text | null = null): Promise<Answer> {
  const figure = await deps.authenticators.begun(whose(visit), visit.now);
  return figure ? scanPage(visit, figure, problem) : { to: place };
}

function scanPage(
  { body, typed }: Visit & { body?: Record<string, string> },
  figure: Figure,
  problem: Text | null,
): Answer {
  const code: Field = {
    ...{ name: 'code', type: 'code', label: text('account.authenticator.code'), inputmode: 'numeric' },
    ...{ autocomplete: 'one-time-code', required: true, focus: true, maxLength: 40 },
  };
  const title = text('account.authenticator.newTitle');
  return {
    page: {
      ...{ view: 'account/authenticator-new', title },
      ...(problem && { error: true, status: 422 }),
      data: {
        ...{ figure, label: body?.label ?? typed.label ?? '', longestLabel },
        fields: withProblem([code], problem && { field: 'code', text: problem }),
      },
    },
  };
}

async function confirm(deps: AccountDeps, visit: Submitted): Promise<Answer> {
  const { authenticators, notices, storage } = deps;
  const { body, by, locale, now, user } = visit;
  const { code = '', label = '' } = body;
  if (code === '') return scan(deps, visit, text('account.authenticator.empty'));
  const notice = { kind: 'factor-added' as const, locale, ip: by.ip ?? null };
  const typed = { code, label: [...label].slice(0, longestLabel).join('') };
  let told: DraftedNotice | undefined;
  const along = async () => {
    const drafted = await notices.drafting(storage.db, user, notice, now);
    told = drafted;
    return async (tx: Tx) => {
      await endOthers(deps, tx, visit);
      await sendRiders(tx, drafted.riders);
    };
  };
  try {
    const confirmed = await authenticators.confirm(whose(visit), typed, by, now, along);
    if (confirmed.is === 'wrong') return scan(deps, visit, confirmed.text);
    if (confirmed.is === 'gone') return list(deps, visit, saying(text('account.authenticator.gone')));
  } catch (error) {
    if (!isTooMany(error)) throw error;
    return list(deps, visit, saying(text('account.authenticator.many')));
  }
  told?.send();
  return { to: place, done: text('account.authenticator.isAdded') };
}

/** As with a number: looked at with it already gone. */
async function remove(deps: AccountDeps, visit: Submitted): Promise<Answer> {
  const { authenticators, flows, notices, storage, users } = deps;
  const { by, locale, now, params, user } = visit;
  const apps = await appsInUse(deps);
  const notice = { kind: 'factor-removed' as const, locale, ip: by.ip ?? null };
  const told = await notices.drafting(storage.db, user, notice, now);
  const along = async () => async (tx: Tx) => {
    const left = (await users.findById(tx, user.id)) ?? user;
    const losses = await flows.losses(tx, apps, left, method);
    if (losses.length > 0) throw new Losing(losses);
    await endOthers(deps, tx, visit);
    await sendRiders(tx, told.riders);
  };
  try {
    if (await authenticators.remove(user.id, params.id ?? '', by, now, along)) told.send();
  } catch (error) {
    if (!(error instanceof Losing)) throw error;
    return list(deps, visit, saying(...whyNot('account.authenticator', error.losses, locale)));
  }
  return { to: place, done: text('account.authenticator.removed') };
}
