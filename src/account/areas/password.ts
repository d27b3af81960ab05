import { endLogins } from '../../flows/index.ts';
import { isUntilLifted } from '../../guard/index.ts';
import { type Catalogue, type Text, text } from '../../lib/texts.ts';
import { sendRiders } from '../../storage/index.ts';
import { PasswordRefused, weaknessText } from '../../users/index.ts';
import type { User } from '../../users/types.ts';
import { demandSession } from '../factors/change.ts';
import type { AccountDeps, Answer, Area, Submitted, Visit } from '../types.ts';

export const passwordTexts: Catalogue = {
  'account.password.title': 'Password',
  'account.password.state': 'Set',
  'account.password.stateNone': 'Not set',
  'account.password.action': 'Change it',
  'account.password.actionSet': 'Set one',
  'account.password.heading': 'Change your password',
  'account.password.old': 'Current password',
  'account.password.new': 'New password',
  'account.password.others': 'Sign out everywhere else',
  'account.password.save': 'Change password',
  'account.password.emptyOld': 'Please type the password that you have now.',
  'account.password.emptyNew': 'Please type the new password.',
  'account.password.wrong': 'That is not the password you have now.',
  'account.password.same': 'That is the password you have already.',
  'account.password.wait': {
    one: 'Too many tries. You can try again in {count} minute.',
    other: 'Too many tries. You can try again in {count} minutes.',
  },
  'account.password.closed': 'Too many tries. Please ask for help to get back into your account.',
  'account.password.changed': 'Your password is changed.',
};

interface Fault {
  field: 'oldPassword' | 'newPassword';
  text: Text;
  retryAt?: Date;
}

/** The password, asked for once more before it changes; wrong ones count as at a login. */
export function passwordArea(deps: AccountDeps): Area {
  const change = async (visit: Submitted): Promise<Answer> => {
    const { oldPassword = '', newPassword = '', others = '' } = visit.body;
    const fault = (await faultOfOld(deps, visit, oldPassword)) ?? emptyNew(newPassword);
    if (fault) return page(visit, fault);
    if (newPassword === oldPassword) {
      return page(visit, { field: 'newPassword', text: text('account.password.same') });
    }
    const hash = await hashed(deps, visit.user, newPassword);
    if (typeof hash !== 'string') return page(visit, { field: 'newPassword', text: hash.text });
    await save(deps, visit, hash, others === 'on');
    return { to: '/account', done: text('account.password.changed') };
  };

  return {
    id: 'password',
    card: async ({ user: { hasPassword } }) => ({
      title: text('account.password.title'),
      state: text(hasPassword ? 'account.password.state' : 'account.password.stateNone'),
      action: {
        label: text(hasPassword ? 'account.password.action' : 'account.password.actionSet'),
        href: '/account/password',
      },
    }),
    routes(area) {
      area.get('password', async (visit) => page(visit), { sensitive: true });
      area.post('password', { sensitive: true }, change);
    },
  };
}

function page({ body, user }: Visit & { body?: Record<string, string> }, fault?: Fault): Answer {
  const field = (name: Fault['field'], label: string, autocomplete: string) => ({
    ...{ name, type: 'password', label: text(label), autocomplete, required: true, maxLength: 1024 },
    focus: name === (fault?.field ?? (user.hasPassword ? 'oldPassword' : 'newPassword')),
    ...(fault?.field === name && { error: fault.text }),
  });
  const others = { name: 'others', type: 'checkbox', label: text('account.password.others') };
  return {
    page: {
      view: 'account/password',
      title: text('account.password.title'),
      ...(fault && { error: true, status: fault.retryAt ? 429 : 422 }),
      data: {
        username: user.username,
        fields: [
          ...(user.hasPassword ? [field('oldPassword', 'account.password.old', 'current-password')] : []),
          field('newPassword', 'account.password.new', 'new-password'),
          { ...others, value: body === undefined || body.others === 'on' ? 'on' : '' },
        ],
      },
    },
  };
}

const emptyNew = (typed: string): Fault | null =>
  typed === '' ? { field: 'newPassword', text: text('account.password.emptyNew') } : null;

/** Throttled with the same counters as a login, so that this is no second door. */
async function faultOfOld(
  { guard, storage, users }: AccountDeps,
  { by, deviceId, now, user }: Submitted,
  typed: string,
): Promise<Fault | null> {
  if (!user.hasPassword) return null;
  const field = 'oldPassword';
  if (typed === '') return { field, text: text('account.password.emptyOld') };
  const subjectKey = guard.subjectKey(users.normaliseIdentifier(user.username));
  const request = { subjectKey, ip: by.ip ?? '', deviceId };
  const throttle = await guard.allowPassword(request, now);
  if (!throttle.allowed) {
    const { retryAt } = throttle;
    const minutes = Math.ceil((retryAt.getTime() - now.getTime()) / 60_000);
    const said = isUntilLifted(retryAt)
      ? text('account.password.closed')
      : text('account.password.wait', { count: Math.max(1, minutes) });
    return { field, text: said, retryAt };
  }
  if (!(await users.verifyPassword(storage.db, user, typed))) {
    return { field, text: text('account.password.wrong') };
  }
  await sendRiders(storage.db, [guard.passingPassword(request, now)]);
  return null;
}

async function hashed(
  { flows, storage, users }: AccountDeps,
  user: User,
  password: string,
): Promise<string | { text: Text }> {
  try {
    return await users.preparePassword(password, user, await flows.passwordAlone(storage.db, user));
  } catch (error) {
    if (error instanceof PasswordRefused) return { text: weaknessText(error.weakness) };
    throw error;
  }
}

async function save(deps: AccountDeps, visit: Submitted, hash: string, everywhere: boolean): Promise<void> {
  const { audit, devices, endTokens, notices, sessions, storage, users } = deps;
  const { by, locale, now, rememberedId, session, user } = visit;
  const notice = { kind: 'password-changed' as const, locale, ip: by.ip ?? null };
  const told = await notices.drafting(storage.db, user, notice, now);
  await storage.transaction(async (tx) => {
    await users.lock(tx, user.id);
    await demandSession(deps, tx, visit);
    await users.setPassword(tx, user.id, hash, now);
    // Whoever has typed the old one a moment ago is not to get in by it.
    await endLogins(tx, user.id, null, now);
    if (everywhere) {
      await sessions.revokeAll(tx, user.id, 'password-changed', now, session.id);
      await devices.revokeAll(tx, user.id, 'password-changed', now, rememberedId ?? undefined);
      await endTokens(tx, user.id, { exceptSessionId: session.id });
    }
    const event = { ...by, name: 'user.changed', subject: user.id, data: { member: 'password' } };
    await sendRiders(tx, [...told.riders, ...audit.riders(tx, now, [event])]);
  });
  told.send();
}
