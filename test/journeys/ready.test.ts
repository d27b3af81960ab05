import t from 'tap';
import { createApp, createContext } from '../../src/app.ts';
import { readEnvironment } from '../../src/config/index.ts';
import { postgresUrl, standard, testEnvironment } from '../helpers/gateway.ts';

t.test('a process that listens is not ready before every template has been compiled', async (t) => {
  const env = await testEnvironment(
    t,
    { databaseUrl: await postgresUrl(t) },
    standard('http://127.0.0.1:9/'),
  );
  const context = await createContext(readEnvironment(env), { logDestination: { write: () => {} } });
  t.teardown(() => context.close());
  const { server, start, close } = await createApp(context);
  t.teardown(close);

  const early = await server.inject('/readyz');
  t.equal(early.statusCode, 503);
  t.equal(early.headers['retry-after'], '1');
  t.equal((await server.inject('/healthz')).statusCode, 200, 'it lives');
  await start();
  t.equal((await server.inject('/readyz')).statusCode, 200);
});
