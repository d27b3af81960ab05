import { toGsm7 } from '../../lib/gsm7.ts';
import type { Db } from '../../storage/types.ts';
import type { Piece } from '../template/template.ts';
import type { Channel, Words, WordsRequest } from '../types.ts';
import { type About, aboutOf, keyOf, type MessageDocument } from './document.ts';
import { listTexts } from './store.ts';
import { fill, parseText } from './template.ts';

/** An entry with its texts read. */
interface Entry {
  key: string;
  text?: Piece[];
  subject?: Piece[];
  autofill?: boolean;
  transliterate?: boolean;
}

/** Entries by what they are for. */
export type Entries = ReadonlyMap<string, Entry>;

/** `messages.yaml` in force. Reloaded when the configuration changes. */
export interface Wordings {
  words(request: WordsRequest): Words;
  reload(db: Db): Promise<void>;
}

export function createWordings({ issuer }: { issuer: URL }): Wordings {
  let entries: Entries = new Map();
  return {
    words: (request) => wordsOf(entries, request, issuer.hostname),
    async reload(db) {
      const rows = await listTexts(db);
      entries = entriesOf(rows.map(({ document }) => document.resolved));
    },
  };
}

export const entriesOf = (documents: readonly MessageDocument[]): Entries =>
  new Map(
    documents.map((document) => {
      const { text, subject, autofill, transliterate } = document;
      const key = keyOf(aboutOf(document));
      // What stands around a text in a file is not meant for a phone.
      const entry: Entry = {
        key,
        ...(text !== undefined && { text: parseText(text.trim()).pieces }),
        ...(subject !== undefined && { subject: parseText(subject.trim()).pieces }),
        ...(autofill !== undefined && { autofill }),
        ...(transliterate !== undefined && { transliterate }),
      };
      return [key, entry];
    }),
  );

/** Each member as the most specific entry has it that says it. */
export interface Resolved {
  text: Piece[] | null;
  subject: Piece[] | null;
  autofill: boolean;
  transliterate: boolean;
  /** The entry that the text comes from; null: none. */
  from: string | null;
}

/** An app counts for more than a language, a language for more than a channel, and that for more than a purpose. */
export function resolve(entries: Entries, about: About): Resolved {
  const found = entries.size === 0 ? [] : keysFor(about).flatMap((key) => entries.get(key) ?? []);
  const first = <M extends keyof Entry>(member: M): Entry[M] | undefined =>
    found.find((entry) => entry[member] !== undefined)?.[member];
  return {
    ...{ text: first('text') ?? null, subject: first('subject') ?? null },
    ...{ autofill: first('autofill') ?? true, transliterate: first('transliterate') ?? false },
    from: found.find(({ text }) => text !== undefined)?.key ?? null,
  };
}

/** What may be said for this, the most specific first. */
function keysFor({ app, locale, channel, purpose }: About): string[] {
  const orAny = <T>(value: T | null): (T | null)[] => (value === null ? [null] : [value, null]);
  return orAny(app).flatMap((app) =>
    languages(locale).flatMap((locale) =>
      orAny(channel).flatMap((channel) =>
        orAny(purpose).map((purpose) => keyOf({ app, locale, channel, purpose })),
      ),
    ),
  );
}

/** `de-AT`, `de`, and any (RFC 4647, section 3.4). */
function languages(locale: string | null): (string | null)[] {
  if (locale === null) return [null];
  const parts = locale.split('-');
  return [...parts.map((_, index) => parts.slice(0, parts.length - index).join('-')), null];
}

export function wordsOf(entries: Entries, request: WordsRequest, host: string): Words {
  const { app, channel, code, locale, minutes, otherwise, purpose } = request;
  const said = resolve(entries, { app: app?.id ?? null, locale, channel, purpose });
  const values = { code, app: app?.name ?? host, minutes: String(minutes), host };
  const text = said.text === null ? otherwise.text : fill(said.text, values);
  const subject = said.subject === null ? otherwise.subject : fill(said.subject, values);
  return {
    text: finish(text, said, { channel, host, code }),
    // A name may hold what would be a line of its own in the head of a mail.
    subject: channel === 'email' ? (subject?.replace(/\p{Cc}+/gu, ' ') ?? null) : null,
  };
}

/**
 * The last line is what a browser reads (WICG, Origin-bound one-time codes delivered via SMS): nothing may follow it, and
 * nothing in it is changed.
 */
function finish(
  text: string,
  { autofill, transliterate }: Resolved,
  { channel, host, code }: { channel: Channel; host: string; code: string },
): string {
  if (channel !== 'sms') return text;
  const plain = transliterate ? (toGsm7(text) ?? text) : text;
  const line = `@${host} #${code}`;
  return !autofill || plain.split('\n').at(-1) === line ? plain : `${plain}\n\n${line}`;
}
