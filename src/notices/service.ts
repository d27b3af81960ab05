import type { Crypto } from '../crypto/types.ts';
import type { Channel, Delivery, NewMessage, OutgoingMessage } from '../delivery/types.ts';
import type { Guard } from '../guard/types.ts';
import { after } from '../lib/clock.ts';
import { newId, type RandomSource } from '../lib/ids.ts';
import type { Logger } from '../lib/log.ts';
import { type Text, text } from '../lib/texts.ts';
import type { Rider } from '../storage/index.ts';
import type { Db } from '../storage/types.ts';
import type { User } from '../users/types.ts';
import type { DraftedNotice, NewNotice, Notices } from './types.ts';

export interface NoticesDeps {
  issuer: URL;
  crypto: Crypto;
  random: RandomSource;
  log: Logger;
  guard: Pick<Guard, 'allowSend' | 'recordingSend' | 'sendNotNeeded'>;
  delivery: Pick<Delivery, 'has' | 'draft' | 'send' | 'onFollowUp'>;
  translate(locale: string, words: Text): string;
  /** What the gateway calls itself. */
  gateway(): string;
}

const purpose = 'notice';
/** The app whose users everybody with an account is. */
const accountId = 'account';
/** Later it would tell nothing that its reader could still do something about. */
const usefulMs = 24 * 60 * 60_000;

interface Destination {
  channel: Channel;
  to: string;
}

export function createNotices(deps: NoticesDeps): Notices {
  const { delivery, guard, log } = deps;
  // Nobody is rung up because a notice has not arrived.
  delivery.onFollowUp(async (_db, message) => message.purpose !== purpose);

  return {
    reaches: (user, notice) => destinationsOf(delivery, user, notice).length > 0,

    async drafting(db, user, notice, now) {
      const drafts = await Promise.all(
        destinationsOf(delivery, user, notice).map((where) => draftOne(deps, db, user, notice, where, now)),
      );
      const messages = drafts.flatMap(({ message }) => message ?? []);
      const countries = drafts.flatMap(({ country, message }) => (message && country) || []);
      return {
        riders: drafts.flatMap(({ riders }) => riders),
        send() {
          const sent = countries.map((country) => ({ country, sentAt: now, count: 1, loginId: null }));
          // A notice has no code that could be typed, which is how countries are judged.
          const settled = sent.length > 0 ? guard.sendNotNeeded(sent) : undefined;
          Promise.all([settled, ...messages.map((message) => delivery.send(message))]).catch((error) =>
            log.error({ err: error }, 'a notice could not be handed to delivery'),
          );
        },
      } satisfies DraftedNotice;
    },
  };
}

/**
 * By mail, to an address that was proved; else, and where the notice is about a number, by SMS. The channel that has
 * changed is nobody's to rely on.
 */
function destinationsOf(
  delivery: Pick<Delivery, 'has'>,
  user: User,
  { notTo, phone }: Pick<NewNotice, 'notTo' | 'phone'>,
): Destination[] {
  const own = user.phoneVerified && user.phone !== null ? [user.phone] : [];
  const numbers = phone === undefined ? own : phone;
  const mail: Destination[] =
    user.email !== null && user.emailVerified && notTo !== 'email' && delivery.has('email', 'texts')
      ? [{ channel: 'email', to: user.email }]
      : [];
  const sms: Destination[] =
    (notTo !== 'sms' || phone !== undefined) && delivery.has('sms', 'texts')
      ? numbers.map((to) => ({ channel: 'sms', to }))
      : [];
  if (phone !== undefined) return [...mail, ...sms];
  return mail.length > 0 ? mail : sms;
}

interface Draft {
  message: OutgoingMessage | null;
  riders: Rider[];
  country: string | null;
}

async function draftOne(
  deps: NoticesDeps,
  db: Db,
  user: User,
  notice: NewNotice,
  { channel, to }: Destination,
  now: Date,
): Promise<Draft> {
  const { crypto, delivery, guard, random } = deps;
  const answer = await guard.allowSend(
    {
      // Apart from codes: nobody is to keep a notice back by asking for many of them, or the other way round.
      numberHash: crypto.mac('identifier', purpose, notice.kind, to),
      number: channel === 'email' ? null : to,
      // What is counted against an address is taken back by a code that was typed, and here is none.
      ...{ userId: null, ip: null, channel, appId: accountId },
    },
    now,
  );
  const decisions = guard.recordingSend(db, answer, now);
  if (!answer.allowed) return { message: null, riders: decisions, country: null };
  const drafted = delivery.draft(
    db,
    {
      ...{ channel, purpose, to, locale: notice.locale, reference: newId('ntc', random) },
      ...wordsOf(deps, user, notice, channel),
      ...{ code: null, loginId: null, freshUntil: after(now, usefulMs) },
      app: { id: accountId, name: deps.gateway() },
      user: { id: user.id, attributes: user.attributes },
    },
    now,
  );
  return { message: drafted.message, riders: [...decisions, ...drafted.riders], country: answer.country };
}

function wordsOf(
  { gateway, issuer, translate }: NoticesDeps,
  user: User,
  { ip, kind, locale, values = {} }: NewNotice,
  channel: Channel,
): Pick<NewMessage, 'text'> & { subject?: string } {
  const say = (key: string, more: Text['values'] = values) => translate(locale, text(`notices.${key}`, more));
  const url = new URL('/account', issuer).href;
  const sentence = say(kind);
  if (channel !== 'email') return { text: say('short', { gateway: gateway(), sentence, url }) };
  const lines = [
    say('hello', { name: greetedAs(user) }),
    ip === null ? sentence : `${sentence}\n${say('from', { ip })}`,
    `${say('fine')}\n${say('notYou', { url })}`,
  ];
  return { subject: `${gateway()}: ${say(`${kind}.subject`)}`, text: lines.join('\n\n') };
}

/**
 * People choose their own names, and who has taken a session over chooses one for them: the mail that warns of it is not
 * to carry words of theirs that lead anywhere.
 */
const greetedAs = ({ name, username }: User): string =>
  name !== null && /^[\p{L}\p{M}\p{Zs}'’.,-]{1,60}$/u.test(name) && !/\p{L}{2}\.\p{L}{2}/u.test(name)
    ? name
    : username;
