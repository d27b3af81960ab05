import { embeddedSeed, weedEmbedded } from './helpers/embedded-seed.ts';
import { type PostgresServer, startPostgres } from './helpers/postgres-server.ts';

let server: PostgresServer | undefined;

/** Called once, before any file. What is put into the environment here reaches all of them. */
export async function globalSetup(): Promise<void> {
  weedEmbedded();
  const [started] = await Promise.all([startPostgres(), embeddedSeed()]);
  server = started;
  process.env.SALLYPORT_TEST_POSTGRES = server.url('postgres');
}

export async function globalTeardown(): Promise<void> {
  await server?.stop();
}
