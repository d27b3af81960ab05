import type { Dispatcher } from 'undici';
import type { GatewayAnswer, GatewayRequest } from '../preset.ts';

/** What is known after one request. */
export type Exchange =
  /** The gateway answered at least with its headers. */
  | { answer: GatewayAnswer; error: Error | null }
  /** Nothing came back. `written`: the request had gone out, so the gateway may have acted on it. */
  | { answer: null; written: boolean; error: Error };

export interface ExchangeOptions {
  origin: string;
  request: GatewayRequest;
  /** For everything: waiting for a connection, writing, the whole answer. */
  timeoutMs: number;
  /** True when status and headers say enough: the body is then not waited for. */
  settled(head: GatewayAnswer): boolean;
  /** More of an answer is never read. Default 64 KiB. */
  maxBodyBytes?: number;
}

const MAX_BODY_BYTES = 64 * 1024;

/**
 * One request, without redirects, within its time. Never throws: what is known of a failure decides whether another
 * provider may be asked, and only the moment of writing tells that, not the kind of error.
 */
export function exchange(dispatcher: Dispatcher, options: ExchangeOptions): Promise<Exchange> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let size = 0;
    let controller: Dispatcher.DispatchController | null = null;
    let head: GatewayAnswer | null = null;
    let over = false;

    const finish = (complete: boolean, error: Error | null) => {
      if (over) return;
      over = true;
      if (head !== null) {
        resolve({ answer: { ...head, body: Buffer.concat(chunks).toString('utf8'), complete }, error });
      } else {
        resolve({ answer: null, written: controller !== null, error: error ?? new Error('no answer') });
      }
    };
    const cut = (message: string) => {
      finish(false, new Error(message));
      controller?.abort(new Error(message));
    };
    const timer = setTimeout(
      () => cut(`no whole answer within ${Math.round(options.timeoutMs)} ms`),
      options.timeoutMs,
    );

    const handler: Dispatcher.DispatchHandler = {
      onRequestStart(started) {
        // Our time was up while it waited for a connection: it must not be written any more.
        if (over) started.abort(new Error('too late'));
        else controller = started;
      },
      onResponseStart(_controller, status, headers) {
        if (status < 200) return;
        head = { status, headers: flat(headers), body: '', complete: false };
        if (options.settled(head)) finish(false, null);
      },
      onResponseData(_controller, chunk) {
        size += chunk.length;
        if (size > (options.maxBodyBytes ?? MAX_BODY_BYTES))
          return over ? controller?.abort(new Error('too long')) : cut('the answer is too long');
        chunks.push(chunk);
      },
      onResponseEnd() {
        clearTimeout(timer);
        finish(true, null);
      },
      onResponseError(_controller, error) {
        clearTimeout(timer);
        finish(false, error);
      },
    };
    try {
      dispatcher.dispatch(dispatchOptions(options), handler);
    } catch (error) {
      clearTimeout(timer);
      finish(false, error as Error);
    }
  });
}

function dispatchOptions({ origin, request }: ExchangeOptions): Dispatcher.DispatchOptions {
  return {
    origin,
    path: request.path,
    method: request.method,
    headers: request.headers.flatMap(([name, value]) => [name, asLatin1(value)]),
    body: request.body,
    headersTimeout: 0,
    bodyTimeout: 0,
  };
}

/** Node writes headers as Latin-1: bytes of UTF-8 in that disguise arrive as UTF-8. */
const asLatin1 = (value: string): string =>
  /[^\x20-\x7e]/.test(value) ? Buffer.from(value, 'utf8').toString('latin1') : value;

function flat(headers: Record<string, string | string[] | undefined>): Record<string, string> {
  const all: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    all[name.toLowerCase()] = Array.isArray(value) ? value.join(', ') : (value ?? '');
  }
  return all;
}
