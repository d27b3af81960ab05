import { parseDuration } from '../../lib/duration.ts';
import type { ChannelDocument } from '../routing/document.ts';
import type { Chain, Channel, NewMessage } from '../types.ts';

/** How a new message goes on, as its channel says at this moment; undefined where nothing follows. */
export function chainOf(channel: ChannelDocument | undefined, message: NewMessage): Chain | undefined {
  const { workflow = [] } = channel ?? {};
  if (workflow.length === 0) return undefined;
  const { text, subject = null } = message;
  return {
    via: null,
    words: Object.fromEntries(
      workflow.map(({ channel = message.channel }) => [
        channel,
        message.words?.(channel) ?? { text, subject },
      ]),
    ),
    next: workflow.map((step) => ({
      channel: (step.channel ?? message.channel) as Channel,
      via: step.providers ?? null,
      afterMs: parseDuration(step.after ?? '30s'),
      unless: step.unless ?? 'delivered',
    })),
  };
}
