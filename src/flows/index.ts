/**
 * Flows and logins. A flow is a document: steps, each with options that name a method. A login is one run of a flow by
 * one browser. The engine (engine/) is pure and decides; methods (methods/) know one way of showing who one is; the
 * rest reads, writes and sends what the engine decided.
 *
 * Owns the tables `flows`, `flow_versions` and `logins`, and `flows.yaml`. A new method is one file in methods/, one
 * line in its index, and one test.
 * Not here: users' secrets (users), codes (otp), locks (guard), messages (delivery), what a session is (sessions), what
 * an application gets in the end (oidc).
 *
 * Routes: GET, POST and OPTIONS /login/:id, as pages and as JSON.
 */
import type { SealedColumn } from '../crypto/types.ts';
import type { Sweep } from '../storage/types.ts';

export { passwordAlone } from './documents/password-alone.ts';
export { flowsSection } from './documents/section.ts';
export { acrMeanings, acrNames } from './engine/describe.ts';
export { codeWords } from './logins/words.ts';
export { amrMeanings } from './methods/index.ts';
export { createFlows, type FlowsDeps } from './service.ts';
export { texts } from './texts.ts';

/** A login that ran out is of no use to anybody. */
export const flowsSweeps: Sweep[] = [{ table: 'logins' }];

export const flowsSealed: SealedColumn[] = [
  { table: 'logins', column: 'binding_hash', what: 'logins under way' },
];
