import { methods } from '../methods/index.ts';
import { type FlowDocument, readOption } from './schema.ts';

/** Whether a flow asks everyone who has one for something of another kind than its first factor. */
export function asksSecondFactor({ steps }: FlowDocument): boolean {
  const kinds = steps.map(({ options, when }) =>
    when === undefined
      ? options
          .map((option) => methods.get(readOption(option).method)?.kind)
          .filter((kind) => kind !== undefined)
      : [],
  );
  const first = kinds.findIndex((offered) => offered.some((kind) => kind !== 'identify'));
  const before = new Set(kinds[first]);
  return kinds
    .slice(first + 1)
    .some((offered) => offered.some((kind) => kind !== 'recovery' && !before.has(kind)));
}
