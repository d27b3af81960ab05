import { RE2JS } from 're2js';

/** Instructions of all regular expressions of a condition. */
const longestProgram = 300;
/**
 * Matching takes time in proportion to text and program, at its worst some 0.3 µs for each character and instruction.
 * Texts come from strangers (`request.userAgent`), so their length is bounded by what a condition may take.
 */
const mostSteps = 100_000;

/** A sentence when the expressions of a condition cannot be used together, with the place of the one; else null. */
export function patternFault(sources: readonly string[]): { at: number; message: string } | null {
  let size = 0;
  for (const [at, source] of sources.entries()) {
    try {
      size += RE2JS.compile(source).programSize();
    } catch (error) {
      return { at, message: `is no regular expression that can be used: ${(error as Error).message}` };
    }
    if (size > longestProgram) {
      return { at, message: 'makes the regular expressions of the condition too large: repeat less' };
    }
  }
  return null;
}

/** Whether a text holds what one of the expressions describes. Throws for other expressions and for texts too long. */
export function createFinder(sources: readonly string[]): (text: string, source: string) => boolean {
  if (patternFault(sources) !== null) throw new RangeError('a regular expression cannot be used');
  const patterns = new Map(sources.map((source) => [source, RE2JS.compile(source)]));
  const size = [...patterns.values()].reduce((sum, pattern) => sum + pattern.programSize(), 0);
  const longest = Math.floor(mostSteps / Math.max(1, size));
  return (text, source) => {
    const pattern = patterns.get(source);
    if (!pattern || text.length > longest) throw new RangeError('the text is too long for the expression');
    return pattern.matcher(text).find();
  };
}
