import { percent, tidyUrlText } from './encode.ts';
import type { Node, TemplateFault } from './parse.ts';
import { refuseNumbers } from './places.ts';
import { type Constants, compile, type Piece } from './template.ts';

export interface UrlTemplate {
  /** Scheme, host and port. Never depends on a message. */
  origin: string;
  /** Value of the `Authorization` header that user information in the URL stands for; null without. */
  authorization: string | null;
  /** Path and query. */
  path: Piece[];
}

/** Scheme and authority, and what ends them. */
const head = /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*(?=([/?#])?)/i;

/**
 * Takes a URL template apart. What comes before the path may hold references and secrets, but nothing of a message:
 * otherwise a phone number could choose who receives the code. Null when there are faults.
 */
export function compileUrl(nodes: Node[], constants: Constants, faults: TemplateFault[]): UrlTemplate | null {
  refuseNumbers(nodes, faults);
  const parts = splitAtPath(nodes, constants, faults);
  if (parts === null) return null;
  const url = URL.parse(parts.authority);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    faults.push({ at: 0, message: 'the URL must begin with https:// or http:// and a host' });
    return null;
  }
  return {
    origin: url.origin,
    authorization: basicOf(url, faults),
    path: compilePath(parts.rest, constants, faults),
  };
}

function splitAtPath(
  nodes: Node[],
  constants: Constants,
  faults: TemplateFault[],
): { authority: string; rest: Node[] } | null {
  let read = '';
  for (const [index, node] of nodes.entries()) {
    if (node.kind === 'value' || (node.kind === 'function' && node.nodes.some((n) => n.kind === 'value'))) {
      faults.push({ at: node.at, message: 'scheme, host and port cannot come from the message' });
      return null;
    }
    if (node.kind === 'text') read += node.value;
    else if (node.kind === 'secret') read += percent(constants.secret(node.name));
    else if (node.kind === 'reference') read += constants.reference(node.written);
    else read += compile([node], () => 'text', constants).join('');
    const match = head.exec(read);
    if (match?.[1] === undefined) continue;
    const authority = match[0];
    const rest: Node = { kind: 'text', at: node.at, value: read.slice(authority.length) };
    return { authority, rest: [rest, ...nodes.slice(index + 1)] };
  }
  return { authority: read, rest: [] };
}

/** References are text of the operator's up to the question mark, and values behind it. */
function compilePath(nodes: Node[], constants: Constants, faults: TemplateFault[]): Piece[] {
  let inQuery = false;
  const tidied = nodes.map((node): Node => {
    const written =
      node.kind === 'text'
        ? node.value
        : node.kind === 'reference' && !inQuery
          ? constants.reference(node.written)
          : null;
    if (written === null) return node;
    inQuery ||= written.includes('?');
    if (written.includes('#')) {
      faults.push({ at: node.at, message: 'what follows a # is never sent: write %23' });
    }
    return { kind: 'text', at: node.at, value: tidyUrlText(written) };
  });
  const first = tidied[0];
  if (first?.kind !== 'text' || !first.value.startsWith('/'))
    tidied.unshift({ kind: 'text', at: 0, value: '/' });
  let query = false;
  return compile(
    tidied,
    (node) => {
      if (node.kind === 'text') query ||= node.value.includes('?');
      return query ? 'query' : 'path';
    },
    constants,
  );
}

function basicOf(url: URL, faults: TemplateFault[]): string | null {
  if (url.username === '' && url.password === '') return null;
  try {
    const pair = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
    return `Basic ${Buffer.from(pair, 'utf8').toString('base64')}`;
  } catch (error) {
    if (!(error instanceof URIError)) throw error;
    faults.push({ at: 0, message: 'the user information holds a % that begins no escape' });
    return null;
  }
}
