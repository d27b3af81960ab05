import type { Catalogue } from '../lib/texts.ts';

/** English texts of the pages of a link that chooses a new password. */
export const texts: Catalogue = {
  'people.doneHeading': 'Your new password is set',
  'people.doneSentence': 'Sign in with it now, in the app that you want to use.',
  'people.goneHeading': 'This link no longer works',
  'people.goneSentence':
    'It was for one time only, and for a day. Please ask whoever gave it to you for another one.',
  'people.empty': 'Please type the new password.',
};
