import { isGsm7, type SmsLength, smsLength, toGsm7 } from '../../lib/gsm7.ts';
import { type Finding, warning } from '../lint/finding.ts';
import { aboutOf, keyOf, type MessageDocument } from './document.ts';
import { entriesOf, wordsOf } from './wordings.ts';

/** What texts are measured and shown with. */
export const sample = { code: '123456', minutes: 5 };
/** For the many apps of an entry that names none. */
const sampleApp = 'Our shop';
const mostNamed = 5;

/** What is to be said of a text that goes out by SMS, as it would go out. */
export function lengthFindings(text: string, path: string): Finding[] {
  const length = smsLength(text);
  if (length.segments < 2) return [];
  const { encoding, foreign, room, segments, units } = length;
  const unit = encoding === 'GSM-7' ? 'septets of GSM-7' : 'characters of UCS-2';
  const because = foreign.length === 0 ? '' : `, because of ${named(foreign)}`;
  const message = `goes out as ${segments} messages, and each is paid for: ${units} ${unit}, where one holds ${room}${because}`;
  return [warning(path, message, remedy(text, length))];
}

function remedy(text: string, { room, units }: SmsLength): string {
  const plain = toGsm7(text);
  if (isGsm7(text) || plain === null) return `shorten it by ${units - room}`;
  const { segments } = smsLength(plain);
  return `write plain ones, or say transliterate: true: it would be ${segments === 1 ? '1 message' : `${segments} messages`} then`;
}

/** Characters as people find them, whatever they look like: `’ (U+2019)`. */
export function named(chars: readonly string[]): string {
  const shown = chars.slice(0, mostNamed).map((char) => {
    const point = (char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
    return /^[\p{L}\p{N}\p{P}\p{S}]$/u.test(char) ? `${char} (U+${point})` : `U+${point}`;
  });
  const more = chars.length - shown.length;
  return [...shown, ...(more > 0 ? [`${more} more`] : [])].join(', ');
}

/** What may be said and is probably not meant. `all`: the entries that stand beside it. */
export function lintMessage(
  document: MessageDocument,
  all: readonly MessageDocument[],
  host: string,
): Finding[] {
  const about = aboutOf(document);
  if (document.text === undefined || (about.channel !== null && about.channel !== 'sms')) return [];
  // As if it were for SMS, which is where its length matters, and for nothing more special than it says.
  const keys = [keyOf(about), keyOf({ ...about, channel: 'sms' })];
  const others = all.filter((other) => !keys.includes(keyOf(aboutOf(other))));
  const bySms = all.find((other) => other.channel === 'sms' && keyOf(aboutOf(other)) === keys[1]);
  if (about.channel === null && bySms?.text !== undefined) return [];
  const { text } = wordsOf(
    entriesOf([...others, { ...bySms, ...document, channel: 'sms' }]),
    {
      ...{ channel: 'sms', purpose: about.purpose ?? '', locale: about.locale ?? 'und', ...sample },
      app: { id: about.app ?? '', name: sampleApp },
      otherwise: { text: '', subject: null },
    },
    host,
  );
  return lengthFindings(text, 'text');
}
