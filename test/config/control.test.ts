import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { askServer } from '../../src/cli/server/control.ts';
import { ConfigurationError, startControl } from '../../src/config/index.ts';

t.test('the command line asks a running server over a socket of the data folder', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-control-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const socketPath = join(folder, 'control.sock');
  await t.rejects(askServer(socketPath, 'echo', {}), { name: 'CommandFailure', message: /does not answer/ });

  const commands = {
    echo: async (input: unknown) => input,
    refuse: async () => {
      throw new ConfigurationError([{ path: 'a', message: 'is wrong' }]);
    },
    fail: async () => {
      throw new Error('no disk');
    },
  };
  const first = await startControl({ socketPath, commands });
  t.equal(statSync(socketPath).mode & 0o777, 0o600);
  const input = { a: ['ä', 1, null] };
  t.strictSame(await askServer(socketPath, 'echo', input), input);
  await t.rejects(askServer(socketPath, 'refuse', {}), {
    name: 'ConfigurationError',
    faults: [{ path: 'a', message: 'is wrong' }],
  });
  await t.rejects(askServer(socketPath, 'fail', {}), { name: 'CommandFailure', message: /no disk/ });
  await t.rejects(askServer(socketPath, 'toString', {}), { message: /unknown command/ });
  await t.rejects(askServer(socketPath, 'echo', 'x'.repeat(17 * 1024 * 1024)), { name: 'CommandFailure' });

  const second = await startControl({ socketPath, commands });
  t.strictSame(await askServer(socketPath, 'echo', input), input, 'a socket left behind is replaced');
  await first.close();
  await second.close();
});
