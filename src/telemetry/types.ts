/** Where traces go and which of them; read from the `OTEL_…` variables. */
export interface TracerSettings {
  /** Takes OTLP over HTTP, as JSON. */
  url: string;
  /** Sent along; they may hold the collector's credentials. */
  headers: Record<string, string>;
  serviceName: string;
  sampler: {
    /** Follows the decision of whoever called, where that is believed. */
    parentBased: boolean;
    /** Of the traces that begin here, from 0 to 1. */
    ratio: number;
  };
}

/** What a span says of its work, by names of OpenTelemetry's conventions, or of ours with `sallyport.` before them. */
export type Facts = Record<string, string | number | boolean | null | undefined>;

/** Where a trace that reaches us comes from. */
export interface RemoteParent {
  traceId: string;
  spanId: string;
  sampled: boolean;
}

export type SpanKind = 'internal' | 'server' | 'client';

export interface SpanStart {
  kind?: SpanKind;
  facts?: Facts;
  /** Default: the span in force. */
  parent?: RemoteParent | null;
}

/** A piece of work under way. */
export interface OpenSpan {
  /** What begins within `work`, however much later it goes on, belongs to this span. */
  run<T>(work: () => T): T;
  tell(facts: Facts): void;
  /** `fault` is a word for what went wrong: messages of errors may hold what a person has typed. */
  end(fault?: string | null): void;
}

/**
 * Tells how the work of a request is made up and how long each part takes. There is one only where traces are wanted;
 * whoever has none does nothing. No fact may name a person, a number, a code, a token or a password.
 */
export interface Tracer {
  begin(name: string, start?: SpanStart): OpenSpan;
  /** `work` as a part of the work of the span in force; without one it is not told. */
  span<T>(name: string, start: SpanStart, work: (tell: OpenSpan['tell']) => Promise<T>): Promise<T>;
  /** The same for work that took `ms` milliseconds and has ended just now. `error`: what it failed with. */
  ended(name: string, start: SpanStart, ms: number, error: unknown): void;
  /** Something that happened within the span in force. */
  event(name: string, facts: Facts): void;
  /** Adds to the span in force. */
  tell(facts: Facts): void;
  /** Names of the span in force, as lines of the log carry them. */
  ids(): { trace_id?: string; span_id?: string };
  /** Sends what is left, for a short time. */
  close(): Promise<void>;
}
