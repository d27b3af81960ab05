/**
 * The only place that reads the system's time. Everything else is handed a {@link Clock} by the composition
 * root, so that a test can stand at any moment.
 */
export interface Clock {
  /** The present moment. */
  now(): Date;
}

export const systemClock: Clock = { now: () => new Date() };

/** Adds milliseconds to a moment. */
export const after = (at: Date, ms: number): Date => new Date(at.getTime() + ms);
