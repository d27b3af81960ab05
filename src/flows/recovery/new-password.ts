import { Type } from '../../lib/schema.ts';
import { type Text, text } from '../../lib/texts.ts';
import { PasswordRefused, weaknessText } from '../../users/index.ts';
import type { RecoveredBy } from '../../users/types.ts';
import type { CheckContext, CheckResult, Method, MethodScreen } from '../method.ts';
import { resetMethodId } from './flow.ts';
import type { RecoveryChannel } from './settings.ts';

const channels: RecoveryChannel[] = ['email', 'sms'];

/** The last step of a reset: it replaces the password, and ends everything that the old one had opened. */
export const newPassword = {
  id: 'new-password',
  kind: 'knowledge',
  amr: ['pwd'],
  identifies: false,
  channel: null,
  enrols: false,
  options: Type.Object({}, { additionalProperties: false }),
  input: Type.Object({ password: Type.Optional(Type.String({ maxLength: 1024 })) }),
  label: text('reset.new'),
  texts: {},

  available: () => ({ is: 'yes' }),

  screen: ({ name }) => newPasswordScreen(name),

  async check(context, { values: { password = '' } }) {
    if (password === '') return retry('empty', text('reset.emptyPassword'));
    try {
      return await replace(context, password);
    } catch (error) {
      if (error instanceof PasswordRefused) return retry(error.weakness, weaknessText(error.weakness));
      throw error;
    }
  },
} satisfies Method;

/** Where a new password is chosen; the name is for password managers. */
export const newPasswordScreen = (name: string | null): MethodScreen => ({
  heading: text('reset.newHeading'),
  sentence: text('reset.newSentence'),
  fields: [
    {
      ...{ name: 'username', type: 'text', label: text('reset.name'), autocomplete: 'username' },
      ...{ value: name ?? '', required: false, readonly: true },
    },
    {
      ...{ name: 'password', type: 'password', label: text('reset.new'), autocomplete: 'new-password' },
      ...{ required: true, focus: true, maxLength: 1024 },
    },
  ],
  actions: [{ name: 'submit', label: text('reset.save'), style: 'primary', skipsValidation: false }],
  notices: [],
});

const retry = (reason: string, sentence: Text): CheckResult => ({
  ...{ is: 'retry', reason, text: sentence, field: 'password', tried: false },
});

async function replace(context: CheckContext, password: string): Promise<CheckResult> {
  const { ip, locale, loginId, now, passed, services, user } = context;
  const by: RecoveredBy | undefined = channels.find((channel) => passed.includes(resetMethodId(channel)));
  if (!user || !services.recovery || by === undefined) return { is: 'fail', reason: 'no-code' };
  const prepared = await services.recovery.prepare(user, { password, by, locale, ip, loginId }, now);
  return {
    is: 'pass',
    commit: prepared.write,
    after: prepared.send,
    events: [{ name: 'user.recovered', data: { by } }],
  };
}
