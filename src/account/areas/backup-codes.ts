import { type Catalogue, text } from '../../lib/texts.ts';
import { sendRiders } from '../../storage/index.ts';
import { endOthers } from '../factors/change.ts';
import { isOfUse } from '../factors/demands.ts';
import type { AccountDeps, Answer, Area, Submitted, Visit, Visitor } from '../types.ts';

export const backupCodeTexts: Catalogue = {
  'account.codes.title': 'Backup codes',
  'account.codes.state': '{left} of {count} left',
  'account.codes.stateNone': 'None',
  'account.codes.few': {
    one: 'Only {count} left. Make new ones before you need it.',
    other: 'Only {count} left. Make new ones before you need them.',
  },
  'account.codes.used': 'All are used up. Make new ones.',
  'account.codes.action': 'Make new ones',
  'account.codes.actionFirst': 'Make some',
  'account.codes.sentence':
    'With a backup code you get in when your phone is lost or has no signal. Each of them works once.',
  'account.codes.confirm': 'The codes that I have so far stop working.',
  'account.codes.confirmMissing': 'Please tick the box: the codes that you have so far stop working.',
  'account.codes.make': 'Make ten codes',
  'account.codes.newTitle': 'Your new backup codes',
  'account.codes.newSentence':
    'Keep them where nobody else finds them. This page shows them once; afterwards nobody can see them, not even we.',
  'account.codes.print': 'Print',
  'account.codes.copy': 'Copy',
  'account.codes.copied': 'Copied',
  'account.codes.download': 'Download as a text file',
  'account.codes.done': 'I have kept them',
  'account.codes.again':
    'These codes were made a moment ago, and can be seen once only. If you have not kept them, make new ones.',
  'account.codes.file': 'Backup codes for {name} at {gateway}. Each of them works once.',
};

/** From here on the card says that there will soon be none. */
const few = 3;
const place = '/account/backup-codes';
const file = 'backup-codes.txt';
/** What a form of ours may hold, so that it cannot be made to say anything else. */
const codeShape = /^[0-9A-Z]{5}-[0-9A-Z]{5}$/;
const manyCodes = 10;

/** Codes for the day without a phone. Shown in the answer that makes them, and never again. */
export function backupCodesArea(deps: AccountDeps): Area {
  return {
    id: 'backup-codes',
    card: (visitor) => cardOf(deps, visitor),
    routes(area) {
      area.get('backup-codes', (visit) => page(deps, visit));
      const own = { sensitive: true, enrols: true };
      area.post('backup-codes', { ...own, keeps: ['confirm'] }, (visit) => make(deps, visit));
      // It gives back what the page has sent: nothing is read, and nothing is asked for.
      area.post('backup-codes/file', { sensitive: false, page: 'backup-codes' }, async (visit) =>
        download(deps, visit),
      );
    },
  };
}

async function cardOf(deps: AccountDeps, { user }: Visitor) {
  const { storage, users } = deps;
  const made = await users.backupCodes.made(storage.db, user.id);
  if (made === null && !(await isOfUse(deps, 'backup-code'))) return null;
  return {
    title: text('account.codes.title'),
    state: stateOf(made?.count ?? 0, user.backupCodes),
    action: {
      label: text(made === null ? 'account.codes.actionFirst' : 'account.codes.action'),
      href: place,
    },
  };
}

function stateOf(count: number, left: number) {
  if (count === 0) return text('account.codes.stateNone');
  if (left === 0) return text('account.codes.used');
  return left <= few
    ? text('account.codes.few', { count: left })
    : text('account.codes.state', { left, count });
}

/** Which codes a form means to replace: sent once more, it is not to void those that it has made. */
const nameOf = (made: { at: Date } | null): string => made?.at.toISOString() ?? 'none';

async function page(deps: AccountDeps, visit: Visit, missing = false): Promise<Answer> {
  const { storage, users } = deps;
  const { typed, user } = visit;
  const made = await users.backupCodes.made(storage.db, user.id);
  const state = stateOf(made?.count ?? 0, user.backupCodes);
  const isLow = made !== null && user.backupCodes <= few;
  return {
    page: {
      ...{ view: 'account/backup-codes', title: text('account.codes.title') },
      ...(missing && { error: true, status: 422 }),
      notices: isLow ? [{ tone: 'warning', text: state }] : [],
      data: {
        ...{ state: isLow ? null : state, some: user.backupCodes > 0, replaces: nameOf(made), missing },
        confirmed: typed.confirm === 'on',
      },
    },
  };
}

async function make(deps: AccountDeps, visit: Submitted): Promise<Answer> {
  const { audit, notices, storage, users } = deps;
  const { body, by, locale, now, user } = visit;
  if (user.backupCodes > 0 && body.confirm !== 'on') return page(deps, visit, true);
  const notice = { kind: 'backup-codes-made' as const, locale, ip: by.ip ?? null };
  const told = await notices.drafting(storage.db, user, notice, now);
  const codes = await storage.transaction(async (tx) => {
    await users.lock(tx, user.id);
    if (nameOf(await users.backupCodes.made(tx, user.id)) !== body.replaces) return null;
    const made = await users.backupCodes.create(tx, user.id, now);
    await endOthers(deps, tx, visit);
    const event = { ...by, subject: user.id, name: 'backup_codes.created' };
    await sendRiders(tx, [...told.riders, ...audit.riders(tx, now, [event])]);
    return made;
  });
  if (codes === null) return { to: place, done: text('account.codes.again') };
  told.send();
  return {
    page: {
      view: 'account/backup-codes-new',
      title: text('account.codes.newTitle'),
      data: { codes, list: codes.join('\n'), about: aboutOf(deps, visit) },
    },
  };
}

const aboutOf = ({ settings }: AccountDeps, { user }: Visitor) =>
  text('account.codes.file', { name: user.username, gateway: settings.get<string>('name') });

function download(deps: AccountDeps, visit: Submitted): Answer {
  const { body, locale } = visit;
  const codes = (body.codes ?? '').split(/\s+/).filter((code) => codeShape.test(code));
  if (codes.length === 0) return { to: place };
  const head = deps.http.translate(locale, aboutOf(deps, visit));
  const content = `${head}\n\n${codes.slice(0, manyCodes).join('\n')}\n`;
  return { file: { name: file, type: 'text/plain; charset=utf-8', content } };
}
