import type { Catalogue } from '../../lib/texts.ts';

/** English texts of the simulator's page. */
export const texts: Catalogue = {
  'simulator.title': 'Simulator',
  'simulator.heading': 'Messages end here',
  'simulator.warning':
    'Nothing has left this machine. Every message that would go to a person is shown on this page instead, to anyone who can open it.',
  'simulator.numbers': 'Phones',
  'simulator.channels': 'Kinds of message',
  'simulator.sms': 'Texts',
  'simulator.voice': 'Calls',
  'simulator.email': 'Mails',
  'simulator.conversation': 'Messages to {to}',
  'simulator.empty': 'No message yet. Sign in somewhere that sends a code, and it appears here.',
  'simulator.copy': 'Copy {code}',
  'simulator.copied': 'Copied',
  'simulator.sender': 'Sender',
  'simulator.subject': 'Subject',
};
