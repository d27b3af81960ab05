import type { Audit } from '../../audit/types.ts';
import type { Crypto } from '../../crypto/types.ts';
import { newId } from '../../lib/ids.ts';
import type { Logger } from '../../lib/log.ts';
import type { Rider } from '../../storage/index.ts';
import type { Db } from '../../storage/types.ts';
import { createDestination } from '../destination.ts';
import { messageEvent } from '../outbox.ts';
import type { MessageRow } from '../store.ts';
import type { Chain, NewMessage, OutgoingMessage } from '../types.ts';
import { insertQueued } from './store.ts';

/** What is needed to send a message later, by any instance; sealed. */
type Sealed = Pick<OutgoingMessage, 'text' | 'subject' | 'code' | 'app' | 'user' | 'chain'>;

/** A message that is to be sent, and what writes it as queued. */
export interface Draft {
  message: OutgoingMessage;
  riders: Rider[];
}

export function draft(
  { crypto, audit }: { crypto: Crypto; audit: Audit },
  db: Db,
  message: NewMessage,
  chain: Chain | undefined,
  now: Date,
): Draft {
  const id = newId('msg');
  const { channel, to, text, subject, code, locale, app, user } = message;
  const more = { ...(subject && { subject }), ...(chain && { chain }) };
  const destination = createDestination(crypto, to, id);
  const content: Sealed = { text, code, app, user, ...more };
  const sealed = crypto.seal('message', JSON.stringify(content), id);
  const { known, insert } = insertQueued(id, message, { destination, text: sealed }, now);
  const riders = [insert, ...audit.riders(db, now, [messageEvent(known, 'queued', null)])];
  return { message: { id, channel, to, text, code, locale, app, user, ...more }, riders };
}

/** Null when its key is gone: then nobody can send it any more. */
export function reopen(crypto: Crypto, row: MessageRow, log: Logger): OutgoingMessage | null {
  try {
    const to = crypto.open('message', row.to_sealed ?? '', row.id);
    const sealed = JSON.parse(crypto.open('message', row.text_sealed ?? '', row.id)) as Sealed;
    return { id: row.id, channel: row.channel, to, locale: row.locale, ...sealed };
  } catch (error) {
    log.error({ message: row.id, err: error }, 'queued message cannot be opened');
    return null;
  }
}
