import { createEgress, type EgressOptions } from './network/egress.ts';
import { exchange } from './network/exchange.ts';

export interface HttpClientOptions {
  /** For a whole request: name lookup, connection, the answer to its end. */
  timeoutMs: number;
  /** A longer answer is an error. */
  maxBodyBytes: number;
  /** Default: public addresses only, the system's certificate authorities. */
  egress?: Omit<EgressOptions, 'connectTimeoutMs'>;
}

/** For what is fetched from elsewhere and is no message. It follows no redirects and reads no compressed answers. */
export interface HttpClient {
  /** Throws an Error, which does not name the path, when no whole answer came in time. */
  get(url: URL, headers?: Record<string, string>): Promise<{ status: number; body: string }>;
  /** The same with a body. */
  post(url: URL, body: string, headers: Record<string, string>): Promise<{ status: number; body: string }>;
  /** Ends what is under way. */
  close(): Promise<void>;
}

export function createHttpClient(options: HttpClientOptions): HttpClient {
  const { timeoutMs, maxBodyBytes, egress = { allowPrivateNetwork: false } } = options;
  const dispatcher = createEgress({ ...egress, connectTimeoutMs: timeoutMs });
  async function ask(
    method: 'GET' | 'POST',
    url: URL,
    headers: Record<string, string>,
    body: string | null,
  ): Promise<{ status: number; body: string }> {
    const { answer, error } = await exchange(dispatcher, {
      origin: url.origin,
      request: {
        method,
        path: `${url.pathname}${url.search}`,
        headers: [['user-agent', 'sallyport'], ...Object.entries(headers)],
        body,
      },
      ...{ timeoutMs, maxBodyBytes },
      settled: () => false,
    });
    if (answer === null || !answer.complete) throw error ?? new Error('the answer was cut off');
    return { status: answer.status, body: answer.body };
  }

  return {
    get: (url, headers = {}) => ask('GET', url, headers, null),
    post: (url, body, headers) => ask('POST', url, headers, body),
    close: () => dispatcher.destroy(),
  };
}
