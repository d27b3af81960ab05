import { encode, tidyUrlText } from './encode.ts';
import type { Node, TemplateFault } from './parse.ts';
import { jsonPlaces, refuseNumbers, xmlPlaces } from './places.ts';
import { type Constants, compile, type Piece, type PlaceOf, render } from './template.ts';

export type PayloadType = 'JSON' | 'FORM' | 'XML' | 'TEXT';

/** What is sent as `Content-Type` when the provider names none. */
export const mediaTypes: Record<PayloadType, string> = {
  JSON: 'application/json',
  FORM: 'application/x-www-form-urlencoded',
  XML: 'application/xml',
  TEXT: 'text/plain; charset=utf-8',
};

/** The type that a `Content-Type` header means. Case and parameters do not count; what we do not know is text. */
export function payloadTypeOf(contentType: string): PayloadType {
  const essence = contentType.split(';')[0]?.trim().toLowerCase() ?? '';
  if (essence === 'application/json' || /^application\/[^\s/]+\+json$/.test(essence)) return 'JSON';
  if (essence === mediaTypes.FORM) return 'FORM';
  if (
    essence === 'application/xml' ||
    essence === 'text/xml' ||
    /^application\/[^\s/]+\+xml$/.test(essence)
  ) {
    return 'XML';
  }
  return 'TEXT';
}

/** A value that no escape, number or hexadecimal digit could swallow. */
const sample = (name: string): string => (name === 'num.digits' ? '15005550006' : 'x~');
const sampleConstants: Constants = { secret: () => 'x~', reference: () => '0' };

/** What a payload without a type is: JSON when it reads as an object or array, a form when as one, else text. */
export function guessType(nodes: Node[]): PayloadType {
  const asJson = sampled(nodes, jsonPlaces(nodes, []));
  if (/^\s*[[{]/.test(asJson) && isJson(asJson)) return 'JSON';
  const asText = sampled(nodes, () => 'text').trim();
  return /^[^=&\s{}<>"]+=[^&]*(&[^=&\s]+=[^&]*)*$/.test(asText) ? 'FORM' : 'TEXT';
}

const sampled = (nodes: Node[], placeOf: PlaceOf): string =>
  render(compile(nodes, placeOf, sampleConstants), sample);

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Compiles a payload for its type; whatever is wrong with it is added to `faults`. */
export function compilePayload(
  nodes: Node[],
  type: PayloadType,
  constants: Constants,
  faults: TemplateFault[],
): Piece[] {
  if (type === 'JSON') return compileJson(nodes, constants, faults);
  refuseNumbers(nodes, faults);
  if (type === 'XML') return compile(nodes, xmlPlaces(nodes, faults), constants);
  if (type === 'FORM') return compile(tidyForm(nodes), () => 'form', constants);
  return compile(nodes, () => 'text', constants);
}

function compileJson(nodes: Node[], constants: Constants, faults: TemplateFault[]): Piece[] {
  const placeOf = jsonPlaces(nodes, faults);
  const pieces = compile(nodes, placeOf, constants);
  if (faults.length === 0) {
    try {
      JSON.parse(render(pieces, sample));
    } catch (error) {
      faults.push({
        at: faultyNode(nodes, placeOf, constants, error as Error),
        message: 'the payload is no JSON here',
      });
    }
  }
  return pieces;
}

/** The place in the template that belongs to the place in the sample at which the JSON parser gave up. */
function faultyNode(nodes: Node[], placeOf: PlaceOf, constants: Constants, error: Error): number {
  const position = Number(/position (\d+)/.exec(error.message)?.[1] ?? Number.POSITIVE_INFINITY);
  let start = 0;
  for (const node of nodes) {
    const length = render(compile([node], placeOf, constants), sample).length;
    if (position < start + length) return node.kind === 'text' ? node.at + position - start : node.at;
    start += length;
  }
  const last = nodes.at(-1);
  return last === undefined ? 0 : last.at + (last.kind === 'text' ? last.value.length : 0);
}

/** The line break that ends a YAML block is no part of the last field. */
function tidyForm(nodes: Node[]): Node[] {
  return nodes.map((node, index) => {
    if (node.kind !== 'text') return node;
    const value = index === nodes.length - 1 ? node.value.trimEnd() : node.value;
    return { ...node, value: tidyUrlText(index === 0 ? value.trimStart() : value) };
  });
}

/** A header's value: nothing is encoded. Throws `EncodingError` when a constant holds a control character. */
export function compileHeader(nodes: Node[], constants: Constants, faults: TemplateFault[]): Piece[] {
  refuseNumbers(nodes, faults);
  const pieces = compile(nodes, () => 'header', constants);
  for (const piece of pieces) if (typeof piece === 'string') encode(piece, 'header');
  return pieces;
}
