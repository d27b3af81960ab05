import { type Matcher, RE2JS } from 're2js';

type Fault = (path: string, message: string) => void;

/** A regular expression that an administrator wrote, for text that a stranger wrote. */
export interface Pattern {
  /** Null: the part of the text that is looked at does not tell. */
  finds(text: string): boolean | null;
  /** The first group, or without one the whole match. */
  extract(text: string): string | undefined;
}

/** The regular expressions of one provider. */
export interface Patterns {
  /** Null when it was reported. */
  read(source: string, path: string): Pattern | null;
}

const MAX_SOURCE = 1_000;
/** Instructions of all expressions of a provider. */
const MAX_PROGRAM = 500;
/**
 * Matching is linear, in the product of text and program: at its worst some 0.3 µs for each character and instruction.
 * All expressions of a provider together may take this many, which is what an answer can hold up the process.
 */
const MAX_STEPS = 100_000;

export function createPatterns(fault: Fault): Patterns {
  let total = 0;
  const reach = () => Math.floor(MAX_STEPS / total);
  return {
    read(source, path) {
      const compiled = compile(source, path, fault);
      if (compiled === null) return null;
      total += compiled.programSize();
      if (total > MAX_PROGRAM) {
        fault(
          path,
          'the regular expressions of this provider are too large together: write shorter repetitions',
        );
        return null;
      }
      return patternOf(compiled, reach);
    },
  };
}

function compile(source: string, path: string, fault: Fault): RE2JS | null {
  if (source.length > MAX_SOURCE) {
    fault(path, `the regular expression is longer than ${MAX_SOURCE} characters`);
    return null;
  }
  try {
    return RE2JS.compile(source);
  } catch (error) {
    fault(path, `is no regular expression that can be used: ${(error as Error).message}`);
    return null;
  }
}

function patternOf(compiled: RE2JS, reach: () => number): Pattern {
  const search = (text: string): { matcher: Matcher; found: boolean; whole: boolean } => {
    const seen = text.slice(0, reach());
    const matcher = compiled.matcher(seen);
    return { matcher, found: matcher.find(), whole: seen.length === text.length };
  };
  return {
    finds(text) {
      const { matcher, found, whole } = search(text);
      if (whole) return found;
      // What ends where we stopped reading may mean the end of the text.
      return found && matcher.end() < reach() ? true : null;
    },
    extract(text) {
      const { matcher, found } = search(text);
      return found ? (matcher.group(matcher.groupCount() > 0 ? 1 : 0) ?? undefined) : undefined;
    },
  };
}
