import type { Catalogue } from '../../lib/texts.ts';

/** English texts of the pages on which a forgotten password is replaced. */
export const texts: Catalogue = {
  'reset.forgot': 'Forgot password?',
  'reset.renewed': 'Your new password is set. Sign in with it now.',
  'reset.noWay':
    'Your password was just replaced by a code to your phone. For your safety the same phone cannot be the second step of this sign-in. Please ask whoever looks after {app}.',
  'reset.noWayEmail':
    'Your password was just replaced by a code to your e-mail address. For your safety the same address cannot be the second step of this sign-in. Please ask whoever looks after {app}.',

  'reset.account': 'Another account',
  'reset.accountHeading': 'Forgot your password?',
  'reset.accountSentence': 'Tell us who you are. We will send you a code, and you choose a new password.',
  'reset.username': 'User name, e-mail or phone',
  'reset.next': 'Continue',
  'reset.emptyName': 'Please type your user name, e-mail address or phone number.',

  'reset.byEmail': 'Get a code by e-mail',
  'reset.bySms': 'Get a code by SMS',
  'reset.heading': 'Enter code',
  'reset.headingSend': 'We will send you a code',
  'reset.headingNone': 'No code yet',
  'reset.sentenceSend': 'It goes to the address or number that your account has confirmed.',
  'reset.sent':
    'If your account has a confirmed address or number for it, a code is on its way. It may take a moment.',
  'reset.code': 'Code',
  'reset.send': 'Send me the code',
  'reset.resend': 'Send again',
  'reset.notMine': 'I did not ask for this code',
  'reset.empty': 'Please type the code from the message.',
  'reset.wrong': {
    one: 'That is not the code. You have {count} try left.',
    other: 'That is not the code. You have {count} tries left.',
  },
  'reset.expired': 'This code is no longer valid. We can send a new one.',
  'reset.exhausted': 'Too many tries for this code. We can send a new one.',
  'reset.used': 'This code has already been used. We can send a new one.',
  'reset.noMore': 'We cannot send another code here.',
  'reset.wait': 'A code was already asked for. Please wait a little before the next one.',
  'reset-sms.subject': 'Your code for {app}',
  'reset-email.subject': 'Your code for a new password at {app}',
  'reset-sms.message': {
    one: '{code} is your code for a new password at {app}. It is valid for {count} minute. Did you not ask for it? Then do nothing, and share it with nobody.',
    other:
      '{code} is your code for a new password at {app}. It is valid for {count} minutes. Did you not ask for it? Then do nothing, and share it with nobody.',
  },
  'reset-email.message': {
    one: '{code} is your code for a new password at {app}. It is valid for {count} minute.\n\nDid you not ask for it? Then you need not do anything. Please share it with nobody.',
    other:
      '{code} is your code for a new password at {app}. It is valid for {count} minutes.\n\nDid you not ask for it? Then you need not do anything. Please share it with nobody.',
  },

  'reset.new': 'New password',
  'reset.newHeading': 'Choose a new password',
  'reset.newSentence':
    'A few words that only you would put together make a good one. You will be signed out everywhere.',
  'reset.name': 'User name',
  'reset.save': 'Save the new password',
  'reset.emptyPassword': 'Please type the new password.',
};
