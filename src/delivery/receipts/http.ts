import { createHmac } from 'node:crypto';
import { secretsMatch } from '../../lib/secrets.ts';
import { pointed } from '../http/json-pointer.ts';
import type { ProviderDraft } from '../preset.ts';
import type { Call, FailureClass, ReceiptReader, ReceiptState } from './contract.ts';
import type { ReceiptsDocument } from './options.ts';

/** The member `receipts` of a provider of preset `http`, read. */
export interface PreparedReceipts {
  document: ReceiptsDocument;
  /** By what the gateway calls them. */
  states: Map<string, ReceiptState>;
  failures: Map<string, FailureClass>;
  /** Null: the address of the message is all that proves a call. */
  secret: string | null;
}

type Prepared = { receipts: PreparedReceipts | null };

const stateNames = ['sent', 'delivered', 'failed', 'read'] as const;
const failureNames = ['number', 'blocked', 'unreachable', 'gateway'] as const;

/** Reads what maps a gateway's words to ours. */
export function readReceipts(
  document: ReceiptsDocument | undefined,
  draft: ProviderDraft,
): PreparedReceipts | null {
  if (document === undefined) return null;
  const { signature, states, failures = {} } = document;
  const prepared: PreparedReceipts = { document, states: new Map(), failures: new Map(), secret: null };
  for (const state of stateNames) {
    for (const word of states[state] ?? []) addWord(prepared.states, String(word), state, 'states', draft);
  }
  for (const name of failureNames) {
    for (const word of failures[name] ?? [])
      addWord(prepared.failures, String(word), name, 'failures', draft);
  }
  if (signature === undefined) return prepared;
  const known = draft.document.secrets ?? {};
  if (!Object.hasOwn(known, signature.secret)) {
    const message = `there is no secret “${signature.secret}”: add it under secrets`;
    draft.fault('http.receipts.signature.secret', message);
  }
  return { ...prepared, secret: draft.resolve(known[signature.secret] ?? '') };
}

function addWord<T>(
  words: Map<string, T>,
  word: string,
  meaning: T,
  member: string,
  draft: ProviderDraft,
): void {
  const folded = word.toLowerCase();
  if (words.has(folded))
    draft.fault(`http.receipts.${member}`, `“${word}” stands for two things: keep one of them`);
  words.set(folded, meaning);
}

/** Receipts of the generic connector, as its document maps them. */
export const httpReceipts: ReceiptReader<Prepared> = {
  signed(call, { receipts }) {
    const { signature } = receipts?.document ?? {};
    if (!receipts || !signature || receipts.secret === null) return null;
    const given = call.headers[signature.header.toLowerCase()] ?? '';
    if (signature.over === undefined) return secretsMatch(receipts.secret, given);
    const digest = createHmac(signature.algorithm ?? 'sha256', receipts.secret).update(call.body);
    const encoding = signature.encoding ?? 'hex';
    const expected = `${signature.prefix ?? ''}${digest.digest(encoding)}`;
    const matches =
      encoding === 'hex'
        ? secretsMatch(expected.toLowerCase(), given.toLowerCase())
        : secretsMatch(expected, given);
    // Over no body it is the same for every call, and says nothing about what stands in this one's address.
    return matches && call.body.length === 0 ? null : matches;
  },

  receipts(call, { receipts }) {
    if (!receipts) return [];
    const { document, failures, states } = receipts;
    const state = states.get((valueAt(call, document.state, document) ?? '').toLowerCase());
    if (state === undefined) return [];
    const why = document.failure === undefined ? null : valueAt(call, document.failure, document);
    const failure = state === 'failed' ? (failures.get((why ?? '').toLowerCase()) ?? 'gateway') : null;
    const messageId = document.message === undefined ? null : valueAt(call, document.message, document);
    const gatewayId = document.id === undefined ? null : valueAt(call, document.id, document);
    return [{ messageId, gatewayId, state, failure }];
  },

  replies(call, { receipts }) {
    if (!receipts?.document.replies) return [];
    const { document } = receipts;
    const { replies } = receipts.document;
    const from = valueAt(call, replies.from, document);
    const text = valueAt(call, replies.text, document);
    return from === null || text === null ? [] : [{ from, text }];
  },
};

/** A JSON Pointer into the body, or the name of a form field or of a parameter of the address. */
function valueAt(
  { body, content, query }: Call,
  place: string,
  { signature }: ReceiptsDocument,
): string | null {
  // Where the body is signed the address beside it is not: anybody could have written that.
  const inAddress = signature?.over === 'body' && body.length > 0 ? null : query;
  const value = place.startsWith('/')
    ? pointed(content, place)
    : (memberOf(content, place) ?? memberOf(inAddress, place));
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? String(value)
    : null;
}

const memberOf = (members: unknown, name: string): unknown =>
  typeof members === 'object' && members !== null && Object.hasOwn(members, name)
    ? (members as Record<string, unknown>)[name]
    : undefined;
