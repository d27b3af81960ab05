import { type Text, text } from '../../lib/texts.ts';
import type { Channel } from '../types.ts';
import type { SimulatedMessage } from './store.ts';

interface Tab {
  label: Text | string;
  href: string;
  current: boolean;
}

interface Bubble {
  id: string;
  sender: string;
  /** Of a mail. */
  subject: string | null;
  parts: { text: string; isCode: boolean }[];
  code: string | null;
  at: string;
  time: string;
}

/** What the page shows: one phone, one kind of message. */
export interface Conversation {
  to: string | null;
  /** Only when there is more than one. */
  numbers: Tab[];
  channels: Tab[];
  /** The oldest first, as on a phone. */
  messages: Bubble[];
  /** Changes when something new has come. */
  newest: string;
}

const order: Channel[] = ['sms', 'voice', 'email'];
const unique = <T>(values: T[]): T[] => [...new Set(values)];
const several = <T>(tabs: T[]): T[] => (tabs.length > 1 ? tabs : []);
const href = (to: string, channel: Channel) => `/simulator?${new URLSearchParams({ to, channel })}`;

/** `messages`: the newest first. Shows the phone that is asked for, or else the one that was written to last. */
export function conversation(
  messages: SimulatedMessage[],
  wanted: { to: string | null; channel: string | undefined },
  locale: string,
): Conversation {
  const latest = messages[0];
  const to = wanted.to ?? latest?.to ?? null;
  const forNumber = messages.filter((message) => message.to === to);
  const channel =
    forNumber.find((message) => message.channel === wanted.channel)?.channel ?? forNumber[0]?.channel;
  const time = new Intl.DateTimeFormat(locale, { hour: '2-digit', minute: '2-digit' });
  return {
    to,
    numbers: several(
      unique(messages.map((message) => message.to)).map((number) => {
        const first = messages.find((message) => message.to === number)?.channel ?? 'sms';
        return { label: number, href: href(number, first), current: number === to };
      }),
    ),
    channels: several(
      order
        .filter((kind) => forNumber.some((message) => message.channel === kind))
        .map((kind) => ({
          label: text(`simulator.${kind}`),
          href: href(to ?? '', kind),
          current: kind === channel,
        })),
    ),
    messages: forNumber
      .filter((message) => message.channel === channel)
      .reverse()
      .map((message) => bubble(message, time)),
    newest: latest?.id ?? '',
  };
}

function bubble(message: SimulatedMessage, time: Intl.DateTimeFormat): Bubble {
  const { id, code, from, app, at, subject } = message;
  return {
    id,
    sender: from ?? app ?? '',
    subject,
    parts: highlight(message.text, code),
    code,
    at: at.toISOString(),
    time: time.format(at),
  };
}

/** The text in pieces, so that the code can be marked wherever it stands. */
function highlight(whole: string, code: string | null): Bubble['parts'] {
  if (code === null || code === '') return [{ text: whole, isCode: false }];
  return whole
    .split(code)
    .flatMap((piece, index) => [
      ...(index === 0 ? [] : [{ text: code, isCode: true }]),
      ...(piece === '' ? [] : [{ text: piece, isCode: false }]),
    ]);
}
