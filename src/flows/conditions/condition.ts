import { linearMatches, literalOf, nodesOf, runningEnvironment, toDuration } from './cel.ts';
import { type ConditionFacts, factValues } from './facts.ts';
import { createFinder } from './patterns.ts';

/** Characters of a condition. */
export const longestCondition = 1_000;

/** Null: it cannot be told, for a fact is not known or something is amiss; the step then applies. */
export type Verdict = { is: boolean } | { is: null; why: string };

/** When a step applies, as a flow's document says. */
export interface Condition {
  source: string;
  /** Whether it may ask about the browser: what is known of that costs a read. */
  asksDevice: boolean;
  /** Never throws. */
  evaluate(facts: ConditionFacts): Verdict;
}

type Program = (facts: ConditionFacts) => unknown;

/** A condition that was checked when it was saved. Compiled when it is first asked, and kept with its flow's version. */
export function createCondition(source: string): Condition {
  let program: Program | undefined;
  return {
    source,
    asksDevice: /\bdevice\b/.test(source),
    evaluate(facts) {
      program ??= compile(source);
      try {
        const value = program(facts);
        return typeof value === 'boolean' ? { is: value } : { is: null, why: 'neither true nor false' };
      } catch (error) {
        return { is: null, why: sentenceOf(error) };
      }
    },
  };
}

/** What cannot be compiled fails each time it is asked. */
function compile(source: string): Program {
  try {
    if (source.length > longestCondition) throw new RangeError('the condition is too long');
    const patterns: string[] = [];
    const find = { in: (_text: string, _pattern: string): boolean => false };
    const parsed = runningEnvironment((text, pattern) => find.in(text, pattern)).parse(source);
    for (const { node } of nodesOf(parsed.ast)) {
      if (node.op !== 'rcall' || node.args[0] !== 'matches') continue;
      node.args[0] = linearMatches;
      patterns.push(literalOf(node.args[2][0]) ?? '');
    }
    find.in = createFinder(patterns);
    return (facts) => parsed(factValues(facts, toDuration));
  } catch (error) {
    return () => {
      throw error;
    };
  }
}

/** The library's own sentence has the source below it. */
export const sentenceOf = (error: unknown): string =>
  (error as { summary?: string }).summary ?? (error as Error).message;
