import type { FlowDesk } from './desk.ts';

type Given<Name extends keyof FlowDesk> = Parameters<FlowDesk[Name]>;

/** What the command line may ask of a running server: each takes the arguments as they stand. */
export const flowCommands = (desk: FlowDesk): Record<string, (input: unknown) => Promise<unknown>> => ({
  'flow/list': () => desk.list(),
  'flow/show': (input) => desk.show(...(input as Given<'show'>)),
  'flow/check': (input) => desk.check(...(input as Given<'check'>)),
  'flow/draft': (input) => desk.draft(...(input as Given<'draft'>)),
  'flow/publish': (input) => desk.publish(...(input as Given<'publish'>)),
  'flow/rollback': (input) => desk.rollBack(...(input as Given<'rollBack'>)),
  'flow/archive': (input) => desk.archive(...(input as Given<'archive'>)),
  'flow/simulate': (input) => desk.simulate(...(input as Given<'simulate'>)),
  'flow/figures': (input) => desk.figures(...(input as Given<'figures'>)),
});
