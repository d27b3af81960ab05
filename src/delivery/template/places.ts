import type { Node, TemplateFault } from './parse.ts';
import type { PlaceOf } from './template.ts';

/** Tells where each node of a JSON template stands: inside a quoted string, or bare. */
export function jsonPlaces(nodes: Node[], faults: TemplateFault[]): PlaceOf {
  const quoted = new Map<Node, boolean>();
  let inString = false;
  let escaped = false;
  for (const node of nodes) {
    quoted.set(node, inString);
    if (node.kind !== 'text') {
      if (escaped) faults.push({ at: node.at, message: 'a backslash stands right before the placeholder' });
      if (node.kind === 'value' && node.number && inString) {
        faults.push({ at: node.at, message: ':number belongs outside the quotes' });
      }
      escaped = false;
      continue;
    }
    for (const char of node.value) {
      if (escaped) escaped = false;
      else if (char === '\\' && inString) escaped = true;
      else if (char === '"') inString = !inString;
    }
  }
  return (node) => (quoted.get(node) ? 'json-string' : 'json');
}

/** All values of an XML template are escaped alike; where escapes mean nothing none may stand. */
export function xmlPlaces(nodes: Node[], faults: TemplateFault[]): PlaceOf {
  let before = '';
  for (const node of nodes) {
    if (node.kind === 'text') {
      before += node.value;
      continue;
    }
    const raw = [
      ['<![CDATA[', ']]>'],
      ['<!--', '-->'],
    ].some(([open = '', close = '']) => before.lastIndexOf(open) > before.lastIndexOf(close));
    if (raw) {
      faults.push({
        at: node.at,
        message: 'nothing is escaped in CDATA or a comment: put the placeholder in plain text',
      });
    }
  }
  return () => 'xml';
}

/** Notes each `:number` in a place that knows no numbers. */
export function refuseNumbers(nodes: Node[], faults: TemplateFault[]): void {
  for (const node of nodes) {
    if (node.kind === 'value' && node.number) {
      faults.push({ at: node.at, message: ':number has a meaning in JSON only' });
    }
    if (node.kind === 'function') refuseNumbers(node.nodes, faults);
  }
}
