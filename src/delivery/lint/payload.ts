import { compilePayload } from '../template/payload.ts';
import type { Constants } from '../template/template.ts';
import { error, type Finding, warning } from './finding.ts';
import { literals, type Template } from './templates.ts';

const constants: Constants = { secret: () => 'x', reference: () => '0' };

/** What is wrong with a payload of JSON, in words that help more than the place at which a parser gave up. */
export function brokenJson({ path, kind, nodes }: Template): Finding[] {
  if (kind !== 'JSON') return [];
  const faults: { at: number; message: string }[] = [];
  compilePayload(nodes, 'JSON', constants, faults);
  if (faults.length === 0) return [];
  const text = literals(nodes)
    .filter(({ inFunction }) => !inFunction)
    .map(({ text }) => text)
    .join('');
  return [...typographicQuotes(path, text), ...unbalanced(path, text)];
}

function typographicQuotes(path: string, text: string): Finding[] {
  const found = [...new Set(text.match(/[“”„‟]/g) ?? [])];
  if (found.length === 0) return [];
  const message = `holds typographic quotes (${found.join(' ')}), which JSON does not know`;
  return [error(path, message, 'write straight ones: "')];
}

const pairs = [
  ['{', '}', 'brace'],
  ['[', ']', 'bracket'],
] as const;

function unbalanced(path: string, text: string): Finding[] {
  const outside = text.replace(/[“”„‟]/g, '"').replace(/"(?:[^"\\]|\\.)*"/g, '');
  return pairs.flatMap(([open, close, name]) => {
    const surplus = outside.split(close).length - outside.split(open).length;
    if (surplus === 0) return [];
    const [what, mend] =
      surplus > 0
        ? ['too many', `take away ${surplus} “${close}”`]
        : ['too few', `add ${-surplus} “${close}”`];
    return [
      error(
        path,
        `has ${Math.abs(surplus)} closing ${name}${surplus * surplus > 1 ? 's' : ''} ${what}`,
        mend,
      ),
    ];
  });
}

const placeholder = '(?:\\$ctx\\.\\w+|\\$num\\.\\w+|\\{\\{\\s*\\w+\\s*\\}\\})';
/** A placeholder that is alone in a string of JSON but for blanks around it. */
export const paddedInJson = new RegExp(`"([ \\t]*)(${placeholder})([ \\t]*)"`, 'g');
const paddedNumber = /=(?:[ \t+]|%20)+(?:\$ctx\.num|\$num\.\w+|\{\{\s*mobile\s*\}\})/;

/** Blanks that a printed page has put around a value: gateways refuse the number. */
export function padding({ path, kind, source }: Template): Finding[] {
  const inJson =
    kind === 'JSON' && [...source.matchAll(paddedInJson)].some(([, before, , after]) => before || after);
  const inPairs = (kind === 'url' || kind === 'FORM') && paddedNumber.test(source);
  return inJson || inPairs
    ? [warning(path, 'has blanks around a placeholder', 'take them away: gateways refuse such numbers')]
    : [];
}
