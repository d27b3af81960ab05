import { createHash, randomBytes } from 'node:crypto';
import { Pool } from 'undici';

export interface Answer {
  status: number;
  location: string | null;
  body: string;
}

/** Connections that stay open, so that what is measured is the server and not the kernel. */
export const createPool = (origin: string, connections: number): Pool =>
  new Pool(origin.replace('//localhost', '//127.0.0.1'), { connections, pipelining: 1 });

/** A browser as small as can be: cookies by name, no redirect followed by itself. */
export function createVisitor(
  pool: Pool,
  origin: string,
  address: string,
  cookies = new Map<string, string>(),
) {
  const host = new URL(origin).host;

  return async (method: 'GET' | 'POST', url: string, form?: Record<string, string>): Promise<Answer> => {
    const { pathname, search } = new URL(url, origin);
    const answer = await pool.request({
      method,
      path: pathname + search,
      headers: {
        host,
        accept: 'text/html',
        'user-agent': 'bench',
        'x-forwarded-for': address,
        ...(cookies.size > 0 && {
          cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; '),
        }),
        ...(form && { origin, 'content-type': 'application/x-www-form-urlencoded' }),
      },
      body: form ? new URLSearchParams(form).toString() : null,
    });
    for (const line of [answer.headers['set-cookie'] ?? []].flat()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (value === '' || /expires=Thu, 01 Jan 1970|max-age=0/i.test(line)) cookies.delete(name);
      else cookies.set(name, value);
    }
    const { location = null } = answer.headers;
    return {
      status: answer.statusCode,
      location: [location].flat()[0] ?? null,
      body: await answer.body.text(),
    };
  };
}

export const basic = (id: string, secret: string): string =>
  `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`;

/** A form sent by an application with its secret; answers its JSON. Throws on any status but 200. */
export async function postForm(
  pool: Pool,
  path: string,
  host: string,
  authorization: string,
  form: Record<string, string>,
): Promise<Record<string, unknown>> {
  const answer = await pool.request({
    method: 'POST',
    path,
    headers: { host, authorization, 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams(form).toString(),
  });
  const text = await answer.body.text();
  if (answer.statusCode !== 200)
    throw new Error(`${path} answered ${answer.statusCode}: ${text.slice(0, 300)}`);
  return JSON.parse(text) as Record<string, unknown>;
}

/** RFC 7636. */
export function newVerifier(): { verifier: string; challenge: string } {
  const verifier = randomBytes(32).toString('base64url');
  return { verifier, challenge: createHash('sha256').update(verifier).digest('base64url') };
}
