import { handlebars, isKnown, suggestion } from './names.ts';

/** A piece of a template; `at` is its place in the source, from 0. */
export type Node =
  | { kind: 'text'; at: number; value: string }
  /** Filled in by each message. `number`: written `:number`, a bare JSON number. */
  | { kind: 'value'; at: number; name: string; number: boolean }
  /** `$secret.<name>`: a sealed member of the provider. */
  | { kind: 'secret'; at: number; name: string }
  /** `${env:…}`, `${file:…}`, or the `${stored}` of a document on its way back. */
  | { kind: 'reference'; at: number; written: string }
  | { kind: 'function'; at: number; name: 'base64' | 'urlencode'; nodes: Node[] };

export interface TemplateFault {
  /** From 0. */
  at: number;
  message: string;
}

export interface Parsed {
  nodes: Node[];
  faults: TemplateFault[];
}

const token =
  /\$\$|\$\{[^}]*\}|\$(?:ctx\.(?:(?:app|user)\.)?\w+|(?:num|secret)\.\w+)(?::number\b)?|\{\{[^{}]*\}\}|\{\{(?!\{)|\b(?:base64|urlencode)\{|\$[\w.]*/g;

/**
 * Reads a template in one pass. What a value holds is never looked at again, so this is the only place where a
 * dollar sign or a brace has a meaning. Whatever looks like a placeholder and is none is a fault: it would
 * otherwise go out to somebody's phone.
 */
export function parseTemplate(source: string): Parsed {
  const faults: TemplateFault[] = [];
  const { nodes } = parseUntil(source, 0, false, faults);
  return { nodes, faults };
}

function parseUntil(
  source: string,
  start: number,
  inFunction: boolean,
  faults: TemplateFault[],
): { nodes: Node[]; end: number } {
  const nodes: Node[] = [];
  let position = start;
  for (;;) {
    token.lastIndex = position;
    const match = token.exec(source);
    const until = match?.index ?? source.length;
    const close = inFunction ? source.indexOf('}', position) : -1;
    const end = close >= 0 && close < until ? close : until;
    if (end > position) nodes.push({ kind: 'text', at: position, value: source.slice(position, end) });
    if (close >= 0 && close <= until) return { nodes, end: close + 1 };
    if (match === null) {
      if (inFunction) faults.push({ at: start, message: 'the closing brace is missing' });
      return { nodes, end: source.length };
    }
    const written = match[0];
    position = until + written.length;
    if (written === 'base64{' || written === 'urlencode{') {
      const inner = parseUntil(source, position, true, faults);
      const name = written === 'base64{' ? 'base64' : 'urlencode';
      nodes.push({ kind: 'function', at: until, name, nodes: inner.nodes });
      position = inner.end;
    } else {
      const node = nodeOf(written, until);
      if ('message' in node) faults.push(node);
      else nodes.push(node);
    }
  }
}

function nodeOf(written: string, at: number): Node | TemplateFault {
  if (written === '$$') return { kind: 'text', at, value: '$' };
  if (written.startsWith('${')) {
    if (/^\$\{(?:(?:env|file):.+|stored)\}$/s.test(written)) return { kind: 'reference', at, written };
    return { at, message: `${written} is no reference: write \${env:NAME} or \${file:/path}` };
  }
  if (written === '{{') return { at, message: 'no }} follows on this {{' };
  if (written.startsWith('{{')) {
    const name = written.slice(2, -2).trim();
    const same = Object.hasOwn(handlebars, name) ? handlebars[name] : undefined;
    return same === undefined ? unknown(written, name, at) : { kind: 'value', at, name: same, number: false };
  }
  const number = written.endsWith(':number');
  const name = number ? written.slice(1, -':number'.length) : written.slice(1);
  if (number && name !== 'num.digits') {
    return { at, message: `only $num.digits can be written as a number, not $${name}` };
  }
  if (/^secret\.\w+$/.test(name)) return { kind: 'secret', at, name: name.slice('secret.'.length) };
  return isKnown(name) ? { kind: 'value', at, name, number } : unknown(written, name, at);
}

function unknown(written: string, name: string, at: number): TemplateFault {
  if (!/[A-Za-z]/.test(name)) {
    return { at, message: `“${written}” is no placeholder: write $$ for a dollar sign` };
  }
  const meant = suggestion(name.replace(/^\$/, ''));
  const hint = meant === undefined ? 'write $$ for a dollar sign' : `did you mean ${meant}?`;
  return { at, message: `unknown placeholder ${written}: ${hint}` };
}
