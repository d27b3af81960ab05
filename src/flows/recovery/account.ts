import { text } from '../../lib/texts.ts';
import type { Method } from '../method.ts';
import { identify } from '../methods/identify.ts';

/** Whose password it is. Like signing in by a name alone: nothing tells whether an account has it. */
export const resetAccount = {
  ...identify,
  id: 'reset-account',
  label: text('reset.account'),
  texts: {},

  screen: ({ hint, typed }) => ({
    heading: text('reset.accountHeading'),
    sentence: text('reset.accountSentence'),
    fields: [
      {
        ...{ name: 'username', type: 'text', label: text('reset.username'), autocomplete: 'username' },
        ...{ value: typed.username ?? hint ?? '', required: true, focus: true, maxLength: 256 },
      },
    ],
    actions: [{ name: 'submit', label: text('reset.next'), style: 'primary', skipsValidation: false }],
    notices: [],
  }),

  async check(context, input) {
    const result = await identify.check(context, input);
    return result.is === 'retry' ? { ...result, text: text('reset.emptyName') } : result;
  },
} satisfies Method;
