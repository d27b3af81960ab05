import { isUntilLifted } from '../../guard/index.ts';
import { Type } from '../../lib/schema.ts';
import { type Text, text } from '../../lib/texts.ts';
import type { CheckContext, CheckResult, Method } from '../method.ts';
import { untilText } from '../pages/wait.ts';
import type { Field } from '../types.ts';

/**
 * User name and password together where nobody is identified yet, else the password alone. A wrong password, an
 * unknown name and a throttled one look and take the same for everyone; the engine tells of a disabled account
 * only after the right password.
 */
export const password = {
  id: 'password',
  kind: 'knowledge',
  amr: ['pwd'],
  identifies: true,
  channel: null,
  enrols: false,
  options: Type.Object({}, { additionalProperties: false }),
  input: Type.Object({
    username: Type.Optional(Type.String({ maxLength: 256 })),
    // Longer than any password may be: the sentence for a wrong one is kinder than a refused form.
    password: Type.Optional(Type.String({ maxLength: 1024 })),
  }),
  label: text('password.label'),
  texts: {
    'password.label': 'Use your password',
    'password.heading': 'Sign in',
    'password.headingKnown': 'Enter your password',
    'password.identifier': 'User name, e-mail or phone',
    'password.username': 'User name',
    'password.password': 'Password',
    'password.next': 'Continue',
    'password.emptyName': 'Please type your user name, e-mail address or phone number.',
    'password.empty': 'Please type your password.',
    'password.wrong': 'That user name and password do not match.',
    'password.changed': 'The password was changed at this moment. Please use the new one.',
    'password.closed': 'Too many tries. Please ask for help to get back into your account.',
    'password.throttled': {
      one: 'Too many tries. You can try again in {count} minute.',
      other: 'Too many tries. You can try again in {count} minutes.',
    },
    'password.throttledSeconds': {
      one: 'Too many tries. You can try again in {count} second.',
      other: 'Too many tries. You can try again in {count} seconds.',
    },
  },

  available: ({ user }) => (user.hasPassword ? { is: 'yes' } : { is: 'no', reason: 'no-password' }),

  screen({ name, hint, proved, recovers, renewed, typed }) {
    const username: Field = {
      name: 'username',
      type: 'text',
      label: text(name === null ? 'password.identifier' : 'password.username'),
      autocomplete: 'username',
      value: name ?? typed.username ?? hint ?? '',
      required: true,
      maxLength: 256,
      ...(name === null ? {} : { readonly: true }),
      focus: name === null && !typed.username && !hint,
    };
    const secret: Field = {
      name: 'password',
      type: 'password',
      label: text('password.password'),
      autocomplete: 'current-password',
      required: true,
      focus: !username.focus,
      maxLength: 1024,
      // A reset may not stand for a factor that was asked for beside the password.
      ...(recovers && !proved && { link: { label: text('reset.forgot'), name: 'recover' } }),
    };
    return {
      heading: text(name === null ? 'password.heading' : 'password.headingKnown'),
      fields: [username, secret],
      actions: [{ name: 'submit', label: text('password.next'), style: 'primary', skipsValidation: false }],
      notices: renewed && !proved ? [{ tone: 'success', text: text('reset.renewed') }] : [],
    };
  },

  async check(context, { values }) {
    const name = context.name ?? context.user?.username ?? values.username ?? '';
    const typed = values.password ?? '';
    if (name === '') return missing('username', text('password.emptyName'));
    if (typed === '') return missing('password', text('password.empty'));
    return compare(context, name, typed);
  },
} satisfies Method;

const missing = (field: Field['name'], sentence: Text): CheckResult => ({
  is: 'retry',
  reason: 'empty',
  text: sentence,
  field,
  tried: false,
});

async function compare(context: CheckContext, name: string, typed: string): Promise<CheckResult> {
  const { db, guard, users } = context.services;
  // A name that was identified stands for the same account whoever has taken it since.
  const identified = context.name !== null || context.user !== null;
  const user = identified ? (context.user ?? undefined) : await users.findByIdentifier(db, name);
  const request = {
    subjectKey: guard.subjectKey(users.normaliseIdentifier(name)),
    ip: context.ip,
    deviceId: user ? context.deviceOf(user.id) : null,
  };
  const throttle = await guard.allowPassword(request, context.now);
  if (!throttle.allowed) {
    const sentence = isUntilLifted(throttle.retryAt)
      ? text('password.closed')
      : untilText('password.throttled', throttle.retryAt, context.now);
    return { is: 'retry', reason: throttle.rule, text: sentence, retryAt: throttle.retryAt, tried: false };
  }
  if (!(await users.verifyPassword(db, user, typed)) || !user) {
    return { is: 'retry', reason: 'wrong', text: text('password.wrong'), field: 'password', tried: true };
  }
  return {
    is: 'pass',
    subject: { user, name },
    // Of a password that is replaced at this moment nothing is to come any more. Disabled accounts are told so instead.
    ...(!user.disabled && { guards: [users.holdingPassword(db, user)] }),
    lost: text('password.changed'),
    riders: () => [guard.passingPassword(request, context.now)],
  };
}
