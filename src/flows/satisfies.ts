import { oldestFactorMs } from '../sessions/index.ts';
import type { FlowCatalog } from './catalog.ts';
import { firstState } from './engine/state.ts';
import { survey } from './engine/survey.ts';
import { type FactsDeps, gatherFacts, methodsAhead } from './logins/facts.ts';
import type { Flows } from './types.ts';

/** Goes through the rules of a login that would begin now, without beginning one. Changes nothing. */
export const createSatisfies =
  (catalog: FlowCatalog, deps: FactsDeps): Flows['satisfies'] =>
  async (db, { session, user, app, acr, maxAgeMs, browser = null }, now) => {
    if (user.disabled || session.userId !== user.id) return false;
    const flow = await catalog.current(db, app.flow, browser);
    const state = firstState({
      ...{ subject: { userId: user.id, name: null }, counts: true, acr, hint: null },
      maxAgeMs: oldestFactorMs(session, app.sessions, maxAgeMs, now),
      wantsFresh: maxAgeMs !== null,
    });
    const asked = methodsAhead(flow, state, deps.methods);
    const { facts } = await gatherFacts(deps, db, { app, flow, user, session, browser, asked }, now);
    // Who has been asked at a login is not asked again by every app that has a look at the session.
    const postponed = Object.keys(facts.asked ?? {});
    const { at, proved } = survey(flow, { ...state, postponed }, facts);
    return at === null && proved;
  };
