import { encode, jsonNumber, type Place, percent } from './encode.ts';
import type { Node } from './parse.ts';

/** Fills in what a message brings, by the placeholder's name: `ctx.num`. */
export type Values = (name: string) => string;

/** What is the same for every message: `$secret.…` and references, looked up once, when a provider is loaded. */
export interface Constants {
  secret(name: string): string;
  reference(written: string): string;
  /** Told of what a function made of constants: it may hold a secret in another form. */
  derived?(text: string): void;
}

/** A template ready to be rendered: finished text, and what each message fills in, with its place. */
export type Piece =
  | string
  | { name: string; place: Place; number: boolean }
  | { call: 'base64' | 'urlencode'; pieces: Piece[] };

/** Says where a node stands; asked in order, once for each. */
export type PlaceOf = (node: Node) => Place;

/** Looks up the constants and joins them, encoded for their places, with the text. Throws `EncodingError`. */
export function compile(nodes: Node[], placeOf: PlaceOf, constants: Constants): Piece[] {
  const pieces: Piece[] = [];
  const add = (piece: Piece) => {
    const last = pieces.at(-1);
    if (typeof piece === 'string' && typeof last === 'string') pieces[pieces.length - 1] = last + piece;
    else pieces.push(piece);
  };
  for (const node of nodes) add(pieceOf(node, placeOf(node), constants));
  return pieces;
}

function pieceOf(node: Node, place: Place, constants: Constants): Piece {
  switch (node.kind) {
    case 'text':
      return node.value;
    case 'value':
      return { name: node.name, place, number: node.number };
    case 'secret':
      return encode(constants.secret(node.name), place);
    case 'reference':
      // Bare in JSON it is a piece of JSON: the operator's own text, checked with the template around it.
      return place === 'json'
        ? constants.reference(node.written)
        : encode(constants.reference(node.written), place);
    case 'function': {
      const pieces = compile(node.nodes, () => 'text', constants);
      if (!pieces.every((piece) => typeof piece === 'string')) return { call: node.name, pieces };
      const text = finish(node.name, pieces.join(''));
      if (node.nodes.some(({ kind }) => kind !== 'text')) constants.derived?.(text);
      return text;
    }
  }
}

const finish = (call: 'base64' | 'urlencode', text: string): string =>
  call === 'base64' ? Buffer.from(text, 'utf8').toString('base64') : percent(text.toWellFormed());

/** One pass: each value is encoded for its place and never looked at again. Throws `EncodingError`. */
export function render(pieces: Piece[], values: Values): string {
  let out = '';
  for (const piece of pieces) {
    if (typeof piece === 'string') out += piece;
    else if ('call' in piece) out += finish(piece.call, render(piece.pieces, values));
    else if (piece.number) out += jsonNumber(values(piece.name));
    else out += encode(values(piece.name), piece.place);
  }
  return out;
}
