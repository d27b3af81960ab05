import type { HttpDocument } from '../http/options.ts';
import { readHeaders } from '../template/headers.ts';
import { type Node, parseTemplate } from '../template/parse.ts';
import { guessType, type PayloadType, payloadTypeOf } from '../template/payload.ts';

/** One template of a provider, and the kind of place that it is for. */
export interface Template {
  path: string;
  source: string;
  nodes: Node[];
  kind: 'url' | 'header' | PayloadType;
  /** Name of the header. */
  name?: string;
}

/** Every template of an `http` provider. */
export function templatesOf(document: HttpDocument): Template[] {
  const template = (path: string, source: string, kind: Template['kind'], name?: string): Template => ({
    ...{ path: `http.${path}`, source, kind, nodes: parseTemplate(source).nodes },
    ...(name !== undefined && { name }),
  });
  const headers = readHeaders(document.headers ?? {}, []).map(({ name, value, path }) =>
    template(path, value, 'header', name),
  );
  return [
    template('url', document.url, 'url'),
    ...headers,
    ...(document.payload ? [template('payload', document.payload, payloadType(document, headers))] : []),
    ...authTemplates(document.auth).map(([path, source]) => template(`auth.${path}`, source, 'header')),
  ];
}

function payloadType(document: HttpDocument, headers: Template[]): PayloadType {
  const header = headers.find(({ name }) => name?.toLowerCase() === 'content-type');
  const said = document.contentType ?? (header && payloadTypeOf(header.source));
  if (said !== undefined) return said;
  // Meant as JSON, though too broken to be taken for it.
  if (/^\s*[[{]/.test(document.payload ?? '')) return 'JSON';
  return guessType(parseTemplate(document.payload ?? '').nodes);
}

/** The texts of `auth` but keys in PEM, wherever they stand in it. */
function authTemplates(auth: unknown, path = ''): [path: string, source: string][] {
  if (typeof auth === 'string') return auth.includes('-----BEGIN') ? [] : [[path, auth]];
  if (typeof auth !== 'object' || auth === null) return [];
  return Object.entries(auth).flatMap(([name, value]) =>
    name === 'value' && path === 'hmac' ? [] : authTemplates(value, path === '' ? name : `${path}.${name}`),
  );
}

/** The text between the placeholders; what stands in functions too. */
export function literals(nodes: Node[], inFunction = false): { text: string; inFunction: boolean }[] {
  const joined: { text: string; inFunction: boolean }[] = [];
  for (const [index, node] of nodes.entries()) {
    if (node.kind === 'function') joined.push(...literals(node.nodes, true));
    if (node.kind !== 'text') continue;
    const last = joined.at(-1);
    if (last && nodes[index - 1]?.kind === 'text') last.text += node.value;
    else joined.push({ text: node.value, inFunction });
  }
  return joined;
}

/** Names of what is filled in: `ctx.num`, `secret.token`. */
export const namesIn = (nodes: Node[]): string[] =>
  nodes.flatMap((node) => {
    if (node.kind === 'value') return [node.name];
    if (node.kind === 'secret') return [`secret.${node.name}`];
    return node.kind === 'function' ? namesIn(node.nodes) : [];
  });
