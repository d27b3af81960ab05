/** Where a value stands, which decides how it is written. */
export type Place = 'path' | 'query' | 'form' | 'header' | 'json' | 'json-string' | 'xml' | 'text';

/** The value cannot stand there in any encoding, so the message cannot go by this provider. */
export class EncodingError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'EncodingError';
  }
}

/** RFC 3986: everything but the unreserved characters. */
export const percent = (value: string): string =>
  encodeURIComponent(value).replace(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );

/** A whole segment of dots would climb the path, even percent-encoded, so it is at least not sent bare. */
const pathSegment = (value: string): string =>
  /^\.{1,2}$/.test(value) ? value.replaceAll('.', '%2E') : percent(value);

function header(value: string): string {
  if (/\p{Cc}/u.test(value)) throw new EncodingError('a header cannot carry control characters');
  return value;
}

const entities: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};

/** XML 1.0 section 2.2: the characters that no document may hold, not even as references. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
const notXml = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/;

/** Line ends and tabs as references: a parser turns bare ones into blanks in attributes (section 3.3.3). */
function xml(value: string): string {
  if (notXml.test(value)) throw new EncodingError('XML cannot carry control characters');
  return value.replace(/[&<>"'\t\n\r]/g, (char) => entities[char] ?? `&#${char.charCodeAt(0)};`);
}

const encoders: Record<Place, (value: string) => string> = {
  path: pathSegment,
  query: percent,
  form: percent,
  header,
  json: (value) => JSON.stringify(value),
  'json-string': (value) => JSON.stringify(value).slice(1, -1),
  xml,
  text: (value) => value,
};

/** Writes a value for its place. A lone surrogate, which UTF-8 cannot carry, becomes U+FFFD. Throws {@link EncodingError}. */
export const encode = (value: string, place: Place): string => encoders[place](value.toWellFormed());

/** A JSON number of a string of digits. Throws {@link EncodingError} when it is none. */
export function jsonNumber(value: string): string {
  if (!/^(0|[1-9][0-9]*)$/.test(value))
    throw new EncodingError('the number has no digits to send as a JSON number');
  return value;
}

/** Makes text that an administrator wrote fit for a URL or a form: what may not stand there bare is percent-encoded. */
export const tidyUrlText = (text: string): string =>
  encodeURI(text.toWellFormed()).replace(/%25(?=[0-9A-Fa-f]{2})/g, '%');
