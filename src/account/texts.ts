import type { Catalogue } from '../lib/texts.ts';

/** English texts of the frame; each area has its own. */
export const frameTexts: Catalogue = {
  'account.title': 'Your account',
  'account.hello': 'Hello, {name}',
  'account.sentence': 'Here you look after how you sign in.',
  'account.overview': 'Your account',
  'account.signOut': 'Sign out',
  'account.askTitle': 'Please ask for help',
  'account.askHeading': 'We cannot do this here yet',
  'account.askSentence':
    'For your safety this takes a second way of showing that it is you, and your account has none that we can use here. Whoever looks after your account can add one for you.',
  'account.lostHeading': 'Lost your phone and your codes?',
  'account.lostSentence':
    'Whoever looks after your account can help you back in. They will make sure that it is really you.',
  'account.deviceBoth': '{browser} on {system}',
  'account.deviceOne': '{name}',
  'account.deviceUnknown': 'A device that we do not know',
  'account.again': 'Thank you. Please press the button once more.',
  'account.save': 'Save',
};
