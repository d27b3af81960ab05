import type { Entry, LoginState } from './state.ts';

/**
 * For the record: the page that people see from now on, by its step and method (null: they have to choose, or nothing is
 * open to them). None where they stay on the page where they were, or where no step is left.
 */
export function shownAfter(before: LoginState | null, { step, option }: LoginState): Entry[] {
  if (step === null || (before?.step === step && before.option === option)) return [];
  return [{ name: 'login.step.shown', data: { step, method: option } }];
}
