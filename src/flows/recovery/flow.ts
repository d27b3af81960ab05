import type { FlowDocument } from '../documents/schema.ts';
import type { RecoveryChannel } from './settings.ts';

/** No file can give a flow such an id. */
const prefix = '@recovery:';

const order: readonly RecoveryChannel[] = ['email', 'sms'];

/** Its channels are part of the id, so that a run that has begun goes on with those that it began with. */
export const recoveryFlowId = (channels: readonly RecoveryChannel[]): string =>
  prefix + order.filter((channel) => channels.includes(channel)).join('+');

export const resetMethodId = (channel: RecoveryChannel): string => `reset-${channel}`;

/** Who it is, a code, a new password: steps like any other, so that none of them is got around. */
export function recoveryFlow(id: string): FlowDocument | undefined {
  if (!id.startsWith(prefix)) return undefined;
  const named = id.slice(prefix.length).split('+');
  const channels = order.filter((channel) => named.includes(channel));
  if (recoveryFlowId(channels) !== id || channels.length === 0) return undefined;
  return {
    id,
    name: 'Recovery',
    steps: [
      { id: 'account', options: ['reset-account'] },
      { id: 'code', options: channels.map(resetMethodId) },
      { id: 'new', options: ['new-password'] },
    ],
  };
}
