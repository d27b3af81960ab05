import { createHash } from 'node:crypto';
import type { Db } from '../../storage/types.ts';
import { phoneParts } from '../destination.ts';
import type { Channel, OutgoingMessage } from '../types.ts';
import type { ChannelDocument } from './document.ts';
import { named, order } from './order.ts';
import { listChannels } from './store.ts';

/** `channels.yaml` in force. Reloaded when the configuration changes. */
export interface Router {
  /** Whom to ask for the message, of `providers` of its channel. */
  order<P extends { id: string }>(message: OutgoingMessage, providers: readonly P[]): P[];
  of(channel: Channel): ChannelDocument | undefined;
  /** True when some channel has a workflow. */
  hasFollowUps(): boolean;
  reload(db: Db): Promise<void>;
}

export function createRouter(): Router {
  let channels = new Map<string, ChannelDocument>();
  return {
    order(message, providers) {
      const draw = drawsOf(message.id);
      if (message.chain?.via) return named(message.chain.via, providers, draw);
      const routed = {
        to: message.to,
        country: () => phoneParts(message.to)?.country ?? null,
        app: message.app?.id ?? null,
      };
      return order(channels.get(message.channel), providers, routed, draw);
    },
    of: (channel) => channels.get(channel),
    hasFollowUps: () => [...channels.values()].some(({ workflow }) => workflow?.length),
    async reload(db) {
      const rows = await listChannels(db);
      channels = new Map(rows.map(({ id, document }) => [id, document.resolved]));
    },
  };
}

/** The same for the same message, so that an instance that takes it over asks in the same order. */
function drawsOf(id: string): () => number {
  let n = 0;
  return () => {
    n += 1;
    return createHash('sha256').update(`${id} ${n}`).digest().readUInt32BE(0) / 2 ** 32;
  };
}
