import { after } from '../../lib/clock.ts';
import { parseDuration } from '../../lib/duration.ts';
import { type Catalogue, text } from '../../lib/texts.ts';
import type { NoticeKind } from '../../notices/types.ts';
import { sendRiders } from '../../storage/index.ts';
import type { Tx } from '../../storage/types.ts';
import { demandSession } from '../factors/change.ts';
import type { AccountDocument } from '../settings.ts';
import type { AccountDeps, Answer, Area, Submitted, Visit } from '../types.ts';

const dayMs = 24 * 60 * 60_000;

export const dataTexts: Catalogue = {
  'account.data.title': 'Your data',
  'account.data.state': 'Take a copy with you',
  'account.data.stateDeletion': 'Your account is going to be deleted',
  'account.data.action': 'See it',
  'account.data.copyHeading': 'A copy of your data',
  'account.data.copySentence':
    'Everything that we keep about you, in a file that programs can read: your details, how you sign in, where you are signed in, and what has happened in your account. There are no passwords and no codes in it.',
  'account.data.copy': 'Download the copy',
  'account.data.deleteHeading': 'Delete your account',
  'account.data.deleteSentence': {
    one: 'After {count} day your account and everything that belongs to it is deleted for good. Until then you can change your mind.',
    other:
      'After {count} days your account and everything that belongs to it is deleted for good. Until then you can change your mind.',
  },
  'account.data.delete': 'Delete my account',
  'account.data.sure': 'Yes, I want my account to be deleted',
  'account.data.sureMissing': 'Please tick the box, so that this does not happen by accident.',
  'account.data.goingSentence': 'Your account will be deleted on {date}.',
  'account.data.keep': 'Keep my account',
  'account.data.asked': 'Your account will be deleted. You can change your mind here until then.',
  'account.data.kept': 'Your account stays.',
};

/** The zone of the reader is not known here. */
const dayOf = (at: Date, locale: string): string =>
  new Intl.DateTimeFormat(locale, { dateStyle: 'long', timeZone: 'UTC' }).format(at);

const deletionOf = ({ settings }: AccountDeps) => settings.get<AccountDocument>('account').deletion;

/** A copy of one's own data, and the end of the account. */
export const dataArea = (deps: AccountDeps): Area => ({
  id: 'data',
  card: async ({ user }) => ({
    title: text('account.data.title'),
    state: text(user.deleteAt ? 'account.data.stateDeletion' : 'account.data.state'),
    action: { label: text('account.data.action'), href: '/account/data' },
  }),
  routes(area) {
    area.get('data', async (visit) => page(deps, visit));
    area.post('data/copy', { sensitive: true, page: 'data' }, (visit) => copy(deps, visit));
    area.post('data/delete', { sensitive: true, page: 'data' }, (visit) => ask(deps, visit));
    area.post('data/keep', { sensitive: false, page: 'data' }, (visit) => keep(deps, visit));
  },
});

function page(deps: AccountDeps, { locale, user }: Visit, unsure = false): Answer {
  const { enabled, wait } = deletionOf(deps);
  const count = Math.ceil(parseDuration(wait) / dayMs);
  const sure = {
    ...{ name: 'sure', type: 'checkbox', label: text('account.data.sure'), value: '', required: true },
    ...(unsure && { error: text('account.data.sureMissing') }),
  };
  return {
    page: {
      view: 'account/data',
      title: text('account.data.title'),
      ...(unsure && { error: true, status: 422 }),
      data: {
        ...{ going: user.deleteAt && dayOf(user.deleteAt, locale), sure },
        offer: enabled ? text('account.data.deleteSentence', { count }) : null,
      },
    },
  };
}

async function copy(deps: AccountDeps, visit: Submitted): Promise<Answer> {
  const content = JSON.stringify(await deps.exportData(visit.user, visit.now), null, 2);
  await write(deps, visit, { kind: 'data-exported', event: 'user.data_exported' });
  const name = `account-${visit.now.toISOString().slice(0, 10)}.json`;
  return { file: { name, type: 'application/json; charset=utf-8', content } };
}

async function ask(deps: AccountDeps, visit: Submitted): Promise<Answer> {
  const { body, locale, now, user } = visit;
  const { enabled, wait } = deletionOf(deps);
  if (!enabled || user.deleteAt) return { to: '/account/data' };
  if (body.sure !== 'on') return page(deps, visit, true);
  const at = after(now, parseDuration(wait));
  await write(deps, visit, {
    ...{ kind: 'deletion-asked', event: 'user.deletion_asked', values: { date: dayOf(at, locale) } },
    work: (tx) => deps.users.setDeletion(tx, user.id, at, now),
  });
  return { to: '/account/data', done: text('account.data.asked') };
}

/** Less asked for than for the deletion: keeping an account harms nobody. */
async function keep({ audit, storage, users }: AccountDeps, { by, now, user }: Submitted): Promise<Answer> {
  if (user.deleteAt === null) return { to: '/account/data' };
  await storage.transaction(async (tx) => {
    await users.setDeletion(tx, user.id, null, now);
    await audit.record(tx, now, [{ ...by, name: 'user.deletion_cancelled', subject: user.id }]);
  });
  return { to: '/account/data', done: text('account.data.kept') };
}

interface Change {
  kind: NoticeKind;
  event: string;
  values?: Record<string, string>;
  work?(tx: Tx): Promise<void>;
}

/** On record, and told on the channels of the account: somebody else may have done it. */
async function write(
  deps: AccountDeps,
  visit: Submitted,
  { event, kind, values = {}, work }: Change,
): Promise<void> {
  const { audit, notices, storage } = deps;
  const { by, locale, now, user } = visit;
  const notice = { kind, locale, ip: by.ip ?? null, values };
  const told = await notices.drafting(storage.db, user, notice, now);
  await storage.transaction(async (tx) => {
    await work?.(tx);
    await demandSession(deps, tx, visit);
    const events = audit.riders(tx, now, [{ ...by, name: event, subject: user.id }]);
    await sendRiders(tx, [...told.riders, ...events]);
  });
  told.send();
}
