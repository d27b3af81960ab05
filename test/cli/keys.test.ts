import t from 'tap';
import { readEnvironment } from '../../src/config/index.ts';
import { serve } from '../../src/server.ts';
import { freePort, postgresUrl } from '../helpers/gateway.ts';
import { migratedFolder, sallyport } from './support.ts';

const kidsOf = (output: string, state: string): string[] =>
  [...output.matchAll(new RegExp(`^(?:ES|RS)256 {2}${state} +(\\S+)`, 'gmu'))].map(([, kid = '']) => kid);

t.test(
  'keys are listed and rotated, beside a running server of the embedded database too',
  { timeout: 120_000 },
  async (t) => {
    const databaseUrl = await postgresUrl(t);
    for (const [name, running, variables] of [
      [
        'PostgreSQL',
        false,
        { DATABASE_URL: databaseUrl, SECRET_KEY: Buffer.alloc(32).toString('base64'), LOG_LEVEL: 'silent' },
      ],
      ['embedded', true, { DATA_DIR: await migratedFolder(t), LOG_LEVEL: 'silent' }],
    ] as const) {
      await t.test(name, { timeout: 60_000 }, async (t) => {
        const command = (...args: string[]) => sallyport({ ...variables }, ['keys', ...args]);
        const port = String(await freePort());
        if (running) {
          const server = await serve(readEnvironment({ ...variables, PORT: port }));
          t.teardown(() => server.close());
        }
        const first = await command('rotate');
        t.match(first, { code: 0, output: /^Rotated: the next keys sign\.\n/, errors: '' });
        t.equal(kidsOf(first.output, 'signing').length, 2);
        const again = await command('rotate');
        t.match(again, { code: 0, output: /^The next keys were published only recently.* --now\.\n/ });
        t.strictSame(kidsOf(again.output, 'signing'), kidsOf(first.output, 'signing'));
        const leaked = await command('rotate', '--leaked');
        t.match(leaked, { code: 0, output: /^Rotated.*\nWhat the keys before have signed is refused/ });
        t.strictSame(kidsOf(leaked.output, 'old'), []);
        t.match(await command('list'), {
          code: 0,
          output: leaked.output.slice(leaked.output.indexOf('ES256')),
        });
        if (running) {
          const jwks = (await (await fetch(`http://localhost:${port}/jwks`)).json()) as {
            keys: { kid: string }[];
          };
          for (const kid of kidsOf(leaked.output, 'signing')) t.ok(jwks.keys.some((key) => key.kid === kid));
          t.equal(jwks.keys.length, 4, 'published by the server at once');
        }
        t.match(await command('rotate', '--now', '--leaked'), { code: 1, errors: /either/ });
      });
    }
  },
);
