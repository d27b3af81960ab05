import type { Catalogue } from '../lib/texts.ts';
import { methods } from './methods/index.ts';
import { texts as recoveryTexts } from './recovery/texts.ts';

const own: Catalogue = {
  'flows.chooseHeading': 'How would you like to go on?',
  'flows.otherWays': 'Other ways',
  'flows.notYou': 'Not you?',
  'flows.cancel': 'Cancel',
  'flows.later': 'Not now',
  'flows.laterLeft': {
    one: 'You can put this off for one more day.',
    other: 'You can put this off for {count} more days.',
  },
  'flows.remember': {
    one: 'Remember this browser for {count} day',
    other: 'Remember this browser for {count} days',
  },
  'flows.rememberHours': {
    one: 'Remember this browser for {count} hour',
    other: 'Remember this browser for {count} hours',
  },
  'flows.continueHeading': 'You are signed in',
  'flows.continueSentence': 'Go on as {name}.',
  'flows.continue': 'Continue',
  'flows.lockedHeading': 'Too many tries',
  'flows.locked': {
    one: 'You can try again in {count} minute, or go on another way.',
    other: 'You can try again in {count} minutes, or go on another way.',
  },
  'flows.lockedSeconds': {
    one: 'You can try again in {count} second, or go on another way.',
    other: 'You can try again in {count} seconds, or go on another way.',
  },
  'flows.lockedAlone': {
    one: 'You can try again in {count} minute.',
    other: 'You can try again in {count} minutes.',
  },
  'flows.lockedAloneSeconds': {
    one: 'You can try again in {count} second.',
    other: 'You can try again in {count} seconds.',
  },
  'flows.lockedForGood':
    'For your safety this way is closed for your account. Please ask whoever looks after {app}.',
  'flows.tryAgain': 'Try again',
  'flows.noWayHeading': 'We cannot go on here',
  'flows.noWay':
    'This sign-in needs something that your account does not have yet, for instance a phone number. Please ask whoever looks after {app}.',
  'flows.endedHeading': 'This sign-in has ended',
  'flows.disabled': 'Your account is switched off. Please ask whoever looks after {app}.',
  'flows.signedOut':
    'Your password, or what your account may do, has changed meanwhile. Please start again at {app}.',
  'flows.ended': 'Please start again. If it happens once more, ask whoever looks after {app}.',
  'flows.back': 'Back to {app}',
  'flows.codeHeld':
    'We cannot send a code to this number just now. Please try again later, or use another way if you have one.',
  'flows.codeNowhere':
    'We do not send codes to this kind of number. Please go on another way, or ask whoever looks after this app.',
  'flows.challengeHeading': 'One moment, please',
  'flows.challengeWork':
    'Before we send a code, your browser does a short calculation, so that nobody can have codes sent in bulk. It takes a few seconds and goes on by itself. If nothing happens, you can continue in a little while with the button, or choose another way.',
  'flows.challengeCaptcha':
    'Please show that you are a person before we send a code. If that does not work, wait a minute and press the button, or choose another way.',
  'flows.challengeAgain': 'That did not work yet. Please try again, wait a little, or choose another way.',
  'flows.busy': 'That was just done in another place. Please try again.',
  'problem.other_browser':
    'This sign-in was started in another browser. Please start again from the app, in the browser that you want to use.',
  'problem.login_expired': 'This sign-in took too long. Please start again from the app.',
  'problem.flow_missing': 'This app has no way of signing in yet. Please tell whoever looks after it.',
};

/** English texts of logins and of every method. */
export const texts: Catalogue = Object.assign(
  {},
  own,
  recoveryTexts,
  ...[...methods.values()].map((method) => method.texts),
);
