import type { Audit } from '../../audit/types.ts';
import type { Crypto } from '../../crypto/types.ts';
import type { Logger } from '../../lib/log.ts';
import { sendRiders } from '../../storage/index.ts';
import type { Storage, Tx } from '../../storage/types.ts';
import { draft } from '../messages/drafts.ts';
import * as messages from '../store.ts';
import type { OutgoingMessage, StillWanted } from '../types.ts';
import { type Timer, takeDue } from './store.ts';

export interface TimersDeps {
  storage: Pick<Storage, 'transaction'>;
  crypto: Crypto;
  log: Logger;
  audit: Audit;
}

/** What follows a message that does not arrive. */
export interface Timers {
  /**
   * Writes the messages that are due; the caller sends them. A timer goes in the transaction that writes its message, so
   * whichever instance is killed when, each message is written once; one that nobody sends is recovered like any other.
   */
  fire(now: Date): Promise<OutgoingMessage[]>;
  onFollowUp(wanted: StillWanted): void;
}

const BATCH = 20;

export function createTimers(deps: TimersDeps): Timers {
  const askers: StillWanted[] = [];
  return {
    onFollowUp: (wanted) => void askers.push(wanted),
    fire: (now) =>
      deps.storage.transaction(async (tx) => {
        const written: OutgoingMessage[] = [];
        for (const timer of await takeDue(tx, BATCH, now)) {
          const message = await follow(deps, askers, tx, timer, now);
          if (message) written.push(message);
        }
        return written;
      }),
  };
}

/** The next message, written; null when none is to follow. */
async function follow(
  deps: TimersDeps,
  askers: StillWanted[],
  tx: Tx,
  timer: Timer,
  now: Date,
): Promise<OutgoingMessage | null> {
  const row = await messages.findMessage(tx, timer.message_id);
  const before = open(deps, timer);
  const [next, ...rest] = before?.chain?.next ?? [];
  if (!row || !before?.chain || !next || row.fresh_until <= now) return null;
  const arrived = row.receipt === 'read' || (next.unless === 'delivered' && row.receipt === 'delivered');
  if (arrived) return null;
  const about = { reference: row.reference ?? '', purpose: row.purpose, loginId: row.login_id };
  for (const wanted of askers) if (!(await wanted(tx, about, now))) return null;
  const { plain } = before.chain;
  const { message, riders } = draft(
    deps,
    tx,
    {
      ...{ channel: next.channel, purpose: about.purpose, reference: about.reference },
      ...{ to: before.to, text: next.channel === 'sms' ? before.text : plain, plain },
      ...{ code: before.code, locale: before.locale, app: before.app, user: before.user },
      ...{ loginId: row.login_id, freshUntil: row.fresh_until },
    },
    { via: next.via, next: rest, plain },
    now,
  );
  await sendRiders(tx, riders);
  return message;
}

function open({ crypto, log }: TimersDeps, { message_id, sealed }: Timer): OutgoingMessage | null {
  try {
    return JSON.parse(crypto.open('message', sealed, message_id)) as OutgoingMessage;
  } catch (error) {
    log.error({ message: message_id, err: error }, 'a message that should follow cannot be opened');
    return null;
  }
}
