import type { Catalogue } from '../../lib/texts.ts';

export const texts: Catalogue = {
  'device.title': 'Connect a device',
  'device.heading': 'Connect a device',
  'device.sentence': 'Enter the code that your device shows.',
  'device.code': 'Code of the device',
  'device.continue': 'Continue',
  'device.wrong': 'We do not know this code, or its time is over. Look at your device once more.',
  'device.used': 'This code has been used. Ask your device for a new one.',
  'device.failed': 'That did not work. Ask your device for a new code.',
  'device.confirmTitle': 'Is this your device?',
  'device.confirmSentence':
    'Go on only if you are holding the device, and it shows this code. Never for somebody who sent you the code or called you.',
  'device.app': 'App',
  'device.shown': 'Code',
  'device.address': 'Address of the device',
  'device.kind': 'Kind of device',
  'device.unknown': 'unknown',
  'device.allow': 'Yes, connect it',
  'device.deny': 'No, refuse',
  'device.doneTitle': 'Your device is connected',
  'device.doneSentence': 'You can close this page and go on there.',
  'device.deniedTitle': 'The device was refused',
  'device.deniedSentence': 'It gets no access. You can close this page.',
};
