import type { Effect } from '../method.ts';
import type { Flow } from '../types.ts';
import { directOf } from './offers.ts';
import type { Advance, Entry, Event, Facts, LoginState, Offer, Passed } from './state.ts';
import { personOf, survey } from './survey.ts';

/**
 * Moves a login on. Pure: nothing is read, sent or written here. A login finishes only when each step was passed
 * in it, is satisfied by a factor of the session that counts, or is recorded as not applying; and never without
 * any factor at all. An event that does not fit the state changes nothing.
 */
export function advance(flow: Flow, state: LoginState, event: Event, facts: Facts): Advance {
  if (event.type === 'cancel') return end(state, 'cancelled', event.reason);
  if (event.type === 'fail') return end(state, 'failed', event.reason);
  if (event.type === 'restart') {
    const blank = { ...state, subject: null, counts: false, passed: [], postponed: [], hint: null };
    return settle(flow, blank, { ...facts, person: null }, true);
  }
  if (state.proved && personOf(state, facts) === null) return end(state, 'failed', 'user-gone');
  if (state.proved && facts.person?.user.disabled) return end(state, 'failed', 'disabled');

  switch (event.type) {
    case 'start':
      return settle(flow, state, facts, false);
    case 'continue':
      return state.step === null ? settle(flow, state, facts, true) : show(state);
    case 'passed':
      return pass(flow, state, event, facts);
    case 'choose': {
      const offer = state.offered.find(({ method }) => method === event.method);
      return offer ? enter(flow, state, offer, facts) : show(state);
    }
    case 'other-ways':
      return state.offered.length > 1 ? show({ ...state, option: null, locked: null }) : show(state);
    case 'later':
      return state.step !== null && state.graceUntil != null
        ? settle(flow, { ...state, postponed: [...(state.postponed ?? []), state.step] }, facts, true)
        : show(state);
    case 'stay':
      if (state.option === null) return show(state);
      return {
        ...show({ ...state, scratch: { ...state.scratch, [state.option]: event.scratch } }),
        effects: event.effects,
      };
    case 'locked':
      return {
        ...show({ ...state, locked: { until: event.until } }),
        records: [{ name: 'login.locked', data: { step: state.step, method: state.option } }],
      };
  }
}

function pass(flow: Flow, state: LoginState, event: Event & { type: 'passed' }, facts: Facts): Advance {
  const method = facts.methods.get(event.method);
  const offered = state.offered.some((offer) => offer.method === event.method);
  if (!method || !offered || state.option !== event.method || state.step === null) return show(state);
  const changes = event.subject && state.subject?.userId && event.subject.userId !== state.subject.userId;
  if (changes && method.kind !== 'identify') {
    return end(state, 'failed', 'other-user');
  }
  const { id, kind, amr } = method;
  const passed: Passed = {
    ...{ step: state.step, via: 'login', method: id, kind, amr: [...amr], at: facts.now },
    ...(event.remember && { remember: true }),
  };
  const moved = {
    ...state,
    subject: event.subject ?? state.subject,
    passed: [...state.passed, passed],
  };
  const next = settle(flow, moved, facts, true);
  return {
    ...next,
    records: [{ name: 'login.step.passed', data: { step: passed.step, method: id } }, ...next.records],
  };
}

/** Finds the step that is due and enters it. `byPost`: effects are allowed; else its page has a button for them. */
function settle(flow: Flow, state: LoginState, facts: Facts, byPost: boolean): Advance {
  const { trail, skipped, proved, at } = survey(flow, state, facts);
  const person = personOf(state, facts);
  const records = skipped
    .filter((now) => !state.skipped.some((then) => then.step === now.step && then.reason === now.reason))
    .map((now): Entry => ({ name: 'login.step.skipped', reason: now.reason, data: { step: now.step } }));
  const moved: LoginState = {
    ...state,
    ...{ skipped, proved, step: at?.step.id ?? null, offered: at?.offered ?? [] },
    ...{ option: null, locked: null, sent: {}, scratch: {}, graceUntil: at?.graceUntil ?? null },
  };
  if (proved && person === null) return end(moved, 'failed', 'user-gone');
  if (proved && person?.user.disabled) return end(moved, 'failed', 'disabled');
  if (!at) {
    if (!proved) return end(moved, 'failed', 'no-factor');
    return byPost ? { ...show(moved), records, next: { is: 'finish', trail } } : { ...show(moved), records };
  }
  const direct = directOf(at.offered, facts);
  if (!direct) return { ...show(moved), records };
  const entered = byPost ? enter(flow, moved, direct, facts) : show({ ...moved, option: direct.method });
  return { ...entered, records };
}

function enter(flow: Flow, state: LoginState, offer: Offer, facts: Facts): Advance {
  const settings = optionOf(flow, state.step, offer.method)?.settings;
  const entered = { ...state, option: offer.method, locked: null };
  if (!settings) return show(state);
  const effects: Effect[] =
    facts.methods.get(offer.method)?.begin?.({
      settings,
      user: personOf(state, facts)?.user ?? null,
      enrol: offer.enrol,
      proved: state.proved,
      named: state.subject?.number ?? 'first',
      sent: state.sent[offer.method] ?? null,
      scratch: state.scratch[offer.method] ?? {},
      now: facts.now,
    }) ?? [];
  return { ...show(entered), effects };
}

export const optionOf = (flow: Flow, stepId: string | null, method: string | null) =>
  flow.steps.find(({ id }) => id === stepId)?.options.find((option) => option.method === method);

const show = (state: LoginState): Advance => ({ state, effects: [], records: [], next: { is: 'show' } });

const end = (state: LoginState, status: 'cancelled' | 'failed', reason: string): Advance => ({
  ...show({ ...state, ended: reason }),
  next: { is: 'end', status, reason },
});
