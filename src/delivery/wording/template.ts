import { closest } from '../../lib/suggest.ts';
import { type Piece, render } from '../template/template.ts';

/** What a text may be filled in with. */
const placeholders = ['code', 'app', 'minutes', 'host'] as const;
export type Placeholder = (typeof placeholders)[number];

/** What people write instead, too far from the right name for a comparison of letters. */
const meant = new Map<string, Placeholder>([
  ['ctx.app.name', 'app'],
  ['ctx.otp', 'code'],
  ['body', 'code'],
  ['count', 'minutes'],
  ['domain', 'host'],
  ['expires', 'minutes'],
  ['otp', 'code'],
  ['pin', 'code'],
]);

export interface ParsedText {
  pieces: Piece[];
  /** What the text is filled in with. */
  uses: Set<string>;
  faults: string[];
}

/** In double braces; and what looks like a placeholder, of another spelling or of a gateway's template. */
const token =
  /\{\{[^{}]*\}\}|\{\{|(?<!\{)\{\s*(?:code|app|minutes|host)\s*\}(?!\})|\$(?:ctx|num|secret)\.\w[\w.]*/g;

const list = (names: readonly string[]): string => {
  const written = names.map((name) => `{{${name}}}`);
  return [written.slice(0, -1).join(', '), written.at(-1)].join(' and ');
};

/**
 * Reads a text in one pass: what a value holds is never looked at again. Whatever looks like a placeholder and is none
 * is a fault, for it would go out to somebody's phone. `allowed`: all of them, unless the place takes fewer.
 */
export function parseText(source: string, allowed: readonly Placeholder[] = placeholders): ParsedText {
  const pieces: Piece[] = [];
  const uses = new Set<string>();
  const faults: string[] = [];
  let position = 0;
  for (const match of source.matchAll(token)) {
    const [written] = match;
    if (match.index > position) pieces.push(source.slice(position, match.index));
    position = match.index + written.length;
    const name = written.startsWith('{{') ? written.slice(2, -2).trim() : '';
    if (allowed.some((one) => one === name)) {
      uses.add(name);
      pieces.push({ name, place: 'text', number: false });
    } else faults.push(faultOf(written, allowed));
  }
  if (position < source.length) pieces.push(source.slice(position));
  return { pieces, uses, faults };
}

function faultOf(written: string, allowed: readonly Placeholder[]): string {
  if (written === '{{') return 'no }} follows on a {{';
  const name = written.replace(/^\$|[{}\s]/g, '');
  const near = meant.get(name.toLowerCase()) ?? closest(name, placeholders);
  const hint = allowed.some((one) => one === near) ? ` (did you mean {{${near}}}?)` : '';
  return `unknown placeholder ${written}${hint}; known here: ${list(allowed)}`;
}

export const fill = (pieces: Piece[], values: Record<Placeholder, string>): string =>
  render(pieces, (name) => values[name as Placeholder]);
