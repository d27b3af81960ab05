/** Applications of other people: each with its library as that library's documentation shows it. */
import { createServer, type RequestListener } from 'node:http';
import type { Test } from 'tap';
import type { Browser, BrowserPage } from '../../src/demo/index.ts';
import { alice, postgresUrl, startGateway, type TestGateway } from '../helpers/gateway.ts';

export interface ClientWorld {
  gateway: TestGateway;
  /** Where the application listens, without a slash at the end. */
  origin: string;
  /** What answers there until the test ends. */
  serve(handler: RequestListener): void;
  id: string;
  secret: string;
}

/**
 * A gateway with one application, whose users need a password.
 * @param app what its operator writes about it besides, or how that follows from the application's origin.
 */
export async function openWorld(
  t: Test,
  app: object | ((origin: string) => object) = {},
): Promise<ClientWorld> {
  const { port, serve } = await holdPort(t);
  const origin = `http://localhost:${port}`;
  const secret = 'a-secret-as-an-operator-makes-one-0123456789';
  const gateway = await startGateway(t, {
    databaseUrl: await postgresUrl(t),
    files: {
      flows: [{ id: 'password', name: 'Password', steps: [{ id: 'first', options: ['password'] }] }],
      apps: [
        {
          id: 'their-app',
          name: 'Their app',
          secret,
          redirectUris: [`${origin}/callback`],
          postLogoutRedirectUris: [origin],
          firstParty: true,
          flow: 'password',
          ...(typeof app === 'function' ? app(origin) : app),
        },
      ],
    },
  });
  return { gateway, origin, serve, id: 'their-app', secret };
}

/** Listens from the start, so that nobody else is given the port while the gateway starts. */
async function holdPort(t: Test) {
  let handle: RequestListener = (_request, response) => {
    response.writeHead(503).end();
  };
  const server = createServer((request, response) => handle(request, response));
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    port: address.port,
    serve(handler: RequestListener) {
      handle = handler;
    },
  };
}

/** Types the password where the browser has been sent to. */
export function typePassword(
  browser: Browser,
  page: BrowserPage,
  until?: (url: URL) => boolean,
): Promise<BrowserPage> {
  const { username, password } = alice;
  return browser.submit(page, { username, password }, until);
}
