import { Type } from '../../lib/schema.ts';
import type { DirectPreset } from '../preset.ts';
import { insertSimulated } from '../simulator/store.ts';

/** Nothing leaves the machine: messages appear on the page `/simulator`. */
export const simulator = {
  id: 'simulator',
  channels: ['sms', 'voice', 'email'],
  options: Type.Object({}, { additionalProperties: false }),
  async send(message, { db, crypto, now }) {
    await insertSimulated(db, crypto, message, now);
    return { status: 'accepted', gatewayId: null };
  },
} satisfies DirectPreset;
