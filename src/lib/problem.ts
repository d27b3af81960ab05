/** One fault of an input: where it is, and what is wrong with it, as a sentence. */
export interface Fault {
  /** Path of the member, for instance `flows.yaml: flows[0].steps[1].options[0]` or `phone`. */
  path: string;
  message: string;
}

export interface ProblemOptions {
  /** HTTP status, 4xx or 5xx. */
  status: number;
  /** Stable snake_case code that programs may compare. */
  code: string;
  /** What the caller may see, in English. Pages show the text `problem.<code>` in the reader's language instead. */
  message: string;
  errors?: Fault[];
  /** Seconds after which the same request may succeed; sent as `Retry-After`. */
  retryAfterSeconds?: number;
  /** The private reason; logged, never shown. */
  cause?: unknown;
}

/** A failure that the caller is told of, as RFC 9457 problem details or as an error page. */
export class Problem extends Error {
  readonly status: number;
  readonly code: string;
  readonly errors: Fault[];
  readonly retryAfterSeconds: number | undefined;

  constructor(options: ProblemOptions) {
    super(options.message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'Problem';
    this.status = options.status;
    this.code = options.code;
    this.errors = options.errors ?? [];
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}
