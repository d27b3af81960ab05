import type { Dispatcher } from 'undici';
import { createEgress } from './egress.ts';
import { exchange } from './exchange.ts';

/** For forms that are sent to an application, not to a gateway. It follows no redirects. */
export interface FormPoster {
  /** The status of the answer. Throws an Error, which does not name the path, when there was none in time. */
  post(url: URL, form: URLSearchParams, options: { allowPrivateNetwork: boolean }): Promise<number>;
  close(): Promise<void>;
}

/** @param timeoutMs for a whole request: name lookup, connection, the head of the answer. */
export function createFormPoster({ timeoutMs }: { timeoutMs: number }): FormPoster {
  const ways = new Map<boolean, Dispatcher>();

  function wayOut(allowPrivateNetwork: boolean): Dispatcher {
    const known = ways.get(allowPrivateNetwork);
    if (known) return known;
    const made = createEgress({ allowPrivateNetwork, connectTimeoutMs: timeoutMs });
    ways.set(allowPrivateNetwork, made);
    return made;
  }

  return {
    async post(url, form, { allowPrivateNetwork }) {
      const { answer, error } = await exchange(wayOut(allowPrivateNetwork), {
        origin: url.origin,
        request: {
          method: 'POST',
          path: `${url.pathname}${url.search}`,
          headers: [
            ['user-agent', 'sallyport'],
            ['content-type', 'application/x-www-form-urlencoded'],
          ],
          body: form.toString(),
        },
        timeoutMs,
        settled: () => true,
      });
      if (answer === null) throw error ?? new Error('no answer');
      return answer.status;
    },
    close: async () => {
      await Promise.all([...ways.values()].map((way) => way.destroy()));
    },
  };
}
