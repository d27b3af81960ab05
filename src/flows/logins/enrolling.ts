import { wantsTwo } from '../engine/describe.ts';
import { offersOf } from '../engine/offers.ts';
import { gatherFacts, methodsOf } from './facts.ts';
import type { Around, LoginsDeps } from './submit.ts';

/**
 * True when the login is about to set up something that the user no longer lacks: another of the step's options has come
 * meanwhile. Who stole the password and keeps the page open must not add a factor of their own beside it.
 */
export async function enrolsNoMore(deps: LoginsDeps, around: Around): Promise<boolean> {
  const { app, devices, flow, now, row, session, submission, user } = around;
  const { acr, offered, option, proved, step: stepId } = row.state;
  const step = flow.steps.find(({ id }) => id === stepId);
  if (!step || !user || !offered.some(({ enrol, method }) => enrol && method === option)) return false;
  const asked = methodsOf([step], deps.methods);
  const moment = { app, devices, flow, user, session, asked, browser: submission };
  const { facts } = await gatherFacts(deps, deps.storage.db, moment, now);
  const offers = offersOf(step, facts, proved, wantsTwo(acr));
  return offers.is !== 'ask' || !offers.offered.some(({ enrol, method }) => enrol && method === option);
}
