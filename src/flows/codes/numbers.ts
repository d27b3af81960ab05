import { type Text, text } from '../../lib/texts.ts';
import type { User, Users } from '../../users/types.ts';
import type { CheckContext, Effect, NumberPlace, Pass, View } from '../method.ts';

/*
 * People may have two proved numbers. Which of them gets a code: the one that they have named themselves by, else the first;
 * once a factor was passed, the one that they choose. Before that nothing tells that there are two.
 */

/** The second number, where the name that was typed is that one. */
export function namedPlace(
  users: Pick<Users, 'normaliseIdentifier'>,
  { name, user }: NonNullable<Pass['subject']>,
): NumberPlace {
  // Of every name alike: the time is not to tell of whom there is more to compare.
  const key = users.normaliseIdentifier(name);
  return user !== null && key === user.secondPhone ? 'second' : 'first';
}

/** Falls back to the first where there is no second any more. */
export const numberAt = (user: User, place: NumberPlace): string | null =>
  (place === 'second' ? user.secondPhone : null) ?? user.phone;

/** The same where the number says who it is: only a verified one will do. */
export const provedNumber = (user: User | null, place: NumberPlace): string | null =>
  user?.phoneVerified ? numberAt(user, place) : null;

/** Where the code of a login goes. */
export function addressedTo(
  user: User | null,
  proved: boolean,
  place: NumberPlace,
): Pick<Effect, 'to' | 'number'> {
  const to = proved && user ? numberAt(user, place) : provedNumber(user, place);
  return { to, ...(user?.secondPhone && { number: place }) };
}

const asks: Record<string, NumberPlace> = { 'send-first': 'first', 'send-second': 'second' };

/** Whether a button asks for a message. */
export const isSending = (action: string): boolean =>
  action === 'send' || action === 'resend' || asks[action] !== undefined;

/** The number that a button means: a named one only where a factor was passed. */
export function placeOf({ named, proved, sent }: CheckContext, action: string): NumberPlace {
  return (proved ? (asks[action] ?? sent?.number) : undefined) ?? named;
}

/** What the pages of these codes know of two numbers. */
export type TwoNumbers = Record<NumberPlace, string> | null;

export const endsOf = ({ phone, secondPhone }: User): TwoNumbers =>
  phone === null || secondPhone === null ? null : { first: phone.slice(-2), second: secondPhone.slice(-2) };

/** The button for the number that the code did not go to. */
export function otherNumber(
  id: string,
  { enrol, fact, proved, sent }: View,
): { name: string; label: Text } | null {
  const ends = fact as TwoNumbers | undefined;
  if (!proved || enrol || !ends || !sent) return null;
  const place: NumberPlace = sent.number === 'second' ? 'first' : 'second';
  const { refused } = sent;
  if (refused?.until === null && refused.number === place) return null;
  const label =
    ends.first === ends.second ? text(`${id}.otherAlike`) : text(`${id}.other`, { last2: ends[place] });
  return { name: `send-${place}`, label };
}
