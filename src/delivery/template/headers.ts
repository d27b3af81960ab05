import type { Fault } from '../../lib/problem.ts';

/** RFC 9110, section 5.6.2. A dollar sign is one of its characters, so no placeholder passes for a name. */
const token = /^[!#%&'*+.^_`|~0-9A-Za-z-]+$/;
const nextHeader = /,(?=\s*[!#%&'*+.^_`|~0-9A-Za-z-]+\s*:)/;

/** Names that describe the connection or the body's framing: only the connector knows them. */
const reserved = new Set([
  'accept-encoding',
  'connection',
  'content-length',
  'expect',
  'host',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

export interface HeaderTemplate {
  name: string;
  /** A template. */
  value: string;
  /** Where it stands in the document, below `headers`. */
  path: string;
}

export type HeadersDocument = string | Record<string, string | number | boolean>;

/**
 * Headers as a map, or as the one string that identity servers write: `Name: value, Name2: value2`. A comma inside
 * a value is allowed: a new header begins only where a name and a colon follow. Split before anything is filled in,
 * so no value can add a header.
 */
export function readHeaders(document: HeadersDocument, faults: Fault[]): HeaderTemplate[] {
  const found = typeof document === 'string' ? split(document, faults) : listed(document);
  const seen = new Set<string>();
  for (const { name, path } of found) {
    const lower = name.toLowerCase();
    if (!token.test(name)) {
      faults.push({ path, message: `“${name}” is no name of a header` });
    } else if (reserved.has(lower)) {
      faults.push({ path, message: `the header ${name} is written by the connector itself` });
    } else if (seen.has(lower)) {
      faults.push({ path, message: `the header ${name} stands here twice` });
    }
    seen.add(lower);
  }
  return found;
}

const listed = (document: Record<string, string | number | boolean>): HeaderTemplate[] =>
  Object.entries(document).map(([name, value]) => ({
    name: name.trim(),
    value: String(value).trim(),
    path: `headers.${name}`,
  }));

function split(document: string, faults: Fault[]): HeaderTemplate[] {
  if (document.trim() === '') return [];
  return document.split(nextHeader).flatMap((piece) => {
    const colon = piece.indexOf(':');
    if (colon < 0) {
      faults.push({
        path: 'headers',
        message: `“${piece.trim()}” is no header: write Name: value, Name2: value2`,
      });
      return [];
    }
    return [{ name: piece.slice(0, colon).trim(), value: piece.slice(colon + 1).trim(), path: 'headers' }];
  });
}
