import type { Preset } from '../preset.ts';
import { awsSns } from './aws-sns.ts';
import { bulksms } from './bulksms.ts';
import { clickatell } from './clickatell.ts';
import { http } from './http.ts';
import { infobip } from './infobip.ts';
import { messagebird } from './messagebird.ts';
import { plivo } from './plivo.ts';
import { simulator } from './simulator.ts';
import { sinch } from './sinch.ts';
import { smtp } from './smtp.ts';
import { twilio } from './twilio.ts';
import { twilioVerify } from './twilio-verify.ts';
import { twilioVoice } from './twilio-voice.ts';
import { vonage } from './vonage.ts';
import { vonageMessages } from './vonage-messages.ts';
import { vonageVoice } from './vonage-voice.ts';
import { webhook } from './webhook.ts';

/** Every preset. A new one is a file beside this and a line here. */
export const presets: readonly Preset[] = [
  http,
  simulator,
  twilio,
  twilioVerify,
  twilioVoice,
  vonage,
  vonageMessages,
  vonageVoice,
  clickatell,
  plivo,
  bulksms,
  infobip,
  messagebird,
  sinch,
  awsSns,
  smtp,
  webhook,
];
