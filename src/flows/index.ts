/**
 * Flows and logins. A flow is a document: steps, each with options that name a method. A login is one run of a flow by
 * one browser. The engine (engine/) is pure and decides; methods (methods/) know one way of showing who one is; the
 * rest reads, writes and sends what the engine decided.
 *
 * Owns the tables `flows`, `flow_versions`, `logins` and `enrolment_requests`, and `flows.yaml`. A new method is one
 * file in methods/, one line in its index, and one test. Authenticator apps outside a login are authenticators/.
 * Which version new logins take is decided in versions/, by commands and files; what steps cost people is counted from the
 * record of events in figures/.
 * Not here: users' secrets (users), codes (otp), locks (guard), messages (delivery), what a session is (sessions), what
 * an application gets in the end (oidc).
 *
 * Routes: GET, POST and OPTIONS /login/:id, as pages and as JSON.
 */
import type { SealedColumn } from '../crypto/types.ts';
import type { PersonalRows, Sweep } from '../storage/types.ts';

export { createAuthenticators } from './authenticators/service.ts';
export { passwordAlone } from './documents/password-alone.ts';
export type { FlowDocument } from './documents/schema.ts';
export { asksSecondFactor } from './documents/second-factor.ts';
export { flowsSection } from './documents/section.ts';
export { acrMeanings, acrNames } from './engine/describe.ts';
export type { FlowFigures } from './figures/figures.ts';
export { answerChallenge, solutionIn } from './logins/challenge.ts';
export { codeWords } from './logins/words.ts';
export { amrMeanings } from './methods/index.ts';
export { challengeScreen, widenPolicy } from './pages/challenge-screen.ts';
export { codeScreen, numberScreen } from './pages/code-screens.ts';
export { newPasswordScreen } from './recovery/new-password.ts';
export { recoverySection } from './recovery/settings.ts';
export { presentRecovery } from './recovery/start.ts';
export { createFlows, type FlowsDeps } from './service.ts';
export {
  type Simulation,
  type SimulationRequest,
  simulateLogin,
} from './simulation/simulator.ts';
export { endedEvents, endProved as endLogins } from './store.ts';
export { type FlowTemplate, fillTemplate, templates } from './templates/templates.ts';
export { texts } from './texts.ts';
export { type OwnPages, unchangeable } from './versions/built-in.ts';
export { flowCommands } from './versions/commands.ts';
export {
  createFlowDesk,
  type FlowDesk,
  type FlowDeskDeps,
  type FlowShown,
  type FlowSummary,
} from './versions/desk.ts';

/** A login that ran out is of no use to anybody. */
export const flowsSweeps: Sweep[] = [{ table: 'logins' }];

export const flowsPersonal: PersonalRows[] = [{ table: 'logins' }];

export const flowsSealed: SealedColumn[] = [
  { table: 'logins', column: 'binding_hash', what: 'logins under way' },
];
