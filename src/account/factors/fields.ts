import type { Field } from '../../flows/types.ts';
import type { Text } from '../../lib/texts.ts';

/** What is wrong with a field that was sent. */
export interface FieldProblem {
  field: Field['name'];
  text: Text;
}

/** The fields with the fault at its place. It gets the focus. */
export const withProblem = (fields: readonly Field[], problem: FieldProblem | null): Field[] =>
  problem === null
    ? [...fields]
    : fields.map(({ focus: _, ...field }) =>
        field.name === problem.field ? { ...field, focus: true, error: problem.text } : field,
      );

/** Minutes to wait, at least one. */
export const minutesUntil = (until: Date, now: Date): number =>
  Math.max(1, Math.ceil((until.getTime() - now.getTime()) / 60_000));
