import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { createBrowser } from '../../src/demo/index.ts';
import {
  alice,
  eachDatabaseUrl,
  shop,
  standard,
  type TestGateway,
  testEnvironment,
} from '../helpers/gateway.ts';
import { startProcess } from '../helpers/process.ts';
import { createTestApp, openLogin, passPassword } from '../helpers/relying-party.ts';

/** A request whose body never comes. */
function sendHalf(t: Test, port: number): void {
  const half = connect(port, '127.0.0.1');
  half.on('error', () => {});
  half.write('POST /login/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{');
  t.teardown(() => half.destroy());
}

t.test('SIGTERM: what is under way ends, what never ends is cut, and the exit code is 0 within 10 s', (t) =>
  eachDatabaseUrl(t, async (t, databaseUrl) => {
    let sent = 0;
    const sms = createServer((_request, response) => {
      sent += 1;
      setTimeout(() => response.end('{}'), 2_000);
    }).listen(0, '127.0.0.1');
    await once(sms, 'listening');
    t.teardown(() => void sms.close());
    const files = standard(`http://127.0.0.1:${(sms.address() as AddressInfo).port}/`);
    const env = await testEnvironment(t, { databaseUrl }, files);
    const { process: gateway, port } = await startProcess(t, env);

    // Waiting for its end takes all the time that there is, whatever the database is: once is enough.
    const endless = databaseUrl !== null;
    if (endless) sendHalf(t, port);
    const app = await createTestApp({ issuer: `http://localhost:${port}` } as TestGateway, shop);
    const walk = await openLogin(app, createBrowser());
    const answer = passPassword(app, walk, alice).then(
      () => 'answered',
      // The answer came, and what it sends the browser to is not there any more.
      (error: Error) => String(error.cause),
    );
    while (sent === 0) await delay(10);

    const stopped = performance.now();
    gateway.kill('SIGTERM');
    const [code] = await once(gateway, 'exit');
    t.equal(code, 0);
    const seconds = (performance.now() - stopped) / 1000;
    t.ok(seconds < (endless ? 10 : 5), `${seconds} s`);
    t.match(await answer, /answered|ECONNREFUSED/);
  }),
);
