import { Type } from '../../lib/schema.ts';
import { text } from '../../lib/texts.ts';
import type { Method } from '../method.ts';

/**
 * Asks only who it is: by user name, verified e-mail address or verified number. It never says whether an account
 * has the name; a login for a name that none has goes on just the same, up to the check of the first factor.
 */
export const identify = {
  id: 'identify',
  kind: 'identify',
  amr: [],
  identifies: true,
  channel: null,
  enrols: false,
  options: Type.Object({}, { additionalProperties: false }),
  input: Type.Object({ username: Type.Optional(Type.String({ maxLength: 256 })) }),
  label: text('identify.label'),
  texts: {
    'identify.label': 'Another account',
    'identify.heading': 'Sign in',
    'identify.sentence': 'Start with your user name, e-mail address or phone number.',
    'identify.username': 'User name, e-mail or phone',
    'identify.next': 'Continue',
    'identify.empty': 'Please type your user name, e-mail address or phone number.',
  },

  available: () => ({ is: 'yes' }),

  screen: ({ hint, typed }) => ({
    heading: text('identify.heading'),
    sentence: text('identify.sentence'),
    fields: [
      {
        name: 'username',
        type: 'text',
        label: text('identify.username'),
        autocomplete: 'username webauthn',
        value: typed.username ?? hint ?? '',
        required: true,
        focus: true,
        maxLength: 256,
      },
    ],
    actions: [{ name: 'submit', label: text('identify.next'), style: 'primary', skipsValidation: false }],
    notices: [],
  }),

  async check({ services: { db, users } }, { values: { username = '' } }) {
    if (username === '') {
      const empty = text('identify.empty');
      return { is: 'retry', reason: 'empty', text: empty, field: 'username', tried: false };
    }
    const user = await users.findByIdentifier(db, username);
    return { is: 'pass', subject: { user: user ?? null, name: username } };
  },
} satisfies Method;
