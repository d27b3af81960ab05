import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { postgresUrl, standard, testEnvironment } from '../helpers/gateway.ts';
import { startProcess } from '../helpers/process.ts';

t.test('a second signal ends at once', async (t) => {
  const files = standard('http://127.0.0.1:9/');
  for (const WORKERS of ['1', '2']) {
    const env = await testEnvironment(t, { databaseUrl: await postgresUrl(t), env: { WORKERS } }, files);
    const { process: gateway, port } = await startProcess(t, env);
    const ended = once(gateway, 'exit');
    // Holds the stop up for as long as it may take.
    const open = fetch(`http://127.0.0.1:${port}/token`, {
      method: 'POST',
      duplex: 'half',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new ReadableStream({ start: (stream) => stream.enqueue(Buffer.from('a=')) }),
    } as RequestInit).catch(() => null);
    // Time for a busy machine to take the request in; until then nothing is under way.
    await delay(1_500);
    const started = performance.now();
    gateway.kill('SIGTERM');
    await delay(500);
    t.equal(gateway.exitCode, null, 'the first waits for what is under way');
    gateway.kill('SIGTERM');
    const [code] = await ended;
    t.equal(code, 1);
    t.ok(performance.now() - started < 2_000);
    await open;
  }
});
