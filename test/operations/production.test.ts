import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import t, { type Test } from 'tap';
import { startSmsGateway } from '../../src/demo/index.ts';
import { alice, postgresUrl, shop, standard, type TestGateway, testEnvironment } from '../helpers/gateway.ts';
import { startProcess } from '../helpers/process.ts';
import { createTestApp, signIn } from '../helpers/relying-party.ts';

const root = join(import.meta.dirname, '../..');
const dockerfile = readFileSync(join(root, 'Dockerfile'), 'utf8').replaceAll('\\\n', '');
const image = dockerfile.slice(dockerfile.lastIndexOf('\nFROM'));
/** The user `nobody`: where tests run as root, files that it may not write are read-only for it. */
const nobody = 65_534;

/** The modules that a production installation has, copied from what is installed here: no registry is needed. */
function installProduction(folder: string): void {
  const listed = execFileSync('npm', ['ls', '--omit=dev', '--all', '--parseable'], {
    cwd: root,
    encoding: 'utf8',
  });
  for (const path of listed.trim().split('\n').slice(1)) {
    const name = relative(root, path);
    if (/node_modules\/node-(linux|bin)/.test(name)) continue;
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    cpSync(path, join(folder, name), {
      recursive: true,
      // What lies below in another folder of modules is listed by itself.
      filter: (source) => !relative(path, source).split('/').includes('node_modules'),
    });
  }
}

/** What the image holds: the lines of the Dockerfile, done by hand. */
function buildImage(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-image-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  installProduction(folder);
  for (const [, line = ''] of image.matchAll(/^COPY (?!--from)(.+)$/gm)) {
    const names = line.split(/\s+/);
    const target = names.pop() ?? '.';
    for (const name of names) {
      const to = target.endsWith('/') ? join(folder, target, name) : join(folder, target);
      cpSync(join(root, name), to, { recursive: true });
    }
  }
  for (const path of globSync('**', { cwd: folder, exclude: ['node_modules/**'] })) {
    chmodSync(join(folder, path), 0o555);
  }
  chmodSync(folder, 0o555);
  return folder;
}

t.test(
  'what the container runs: production modules, no demo, nothing but its data to write to',
  async (t) => {
    const folder = buildImage(t);
    for (const absent of ['config/demo', 'test', 'node_modules/typescript', 'node_modules/openid-client']) {
      t.notOk(existsSync(join(folder, absent)), `no ${absent}`);
    }
    const sms = await startSmsGateway();
    t.teardown(() => sms.close());
    const env = await testEnvironment(t, { databaseUrl: await postgresUrl(t) }, standard(sms.url));
    const scratch = mkdtempSync(join(tmpdir(), 'sallyport-tmp-'));
    t.teardown(() => rmSync(scratch, { recursive: true, force: true }));
    const asRoot = process.getuid?.() === 0;
    if (asRoot) {
      for (const path of [scratch, env.DATA_DIR ?? '']) chownSync(path, nobody, nobody);
      for (const path of [env.CONFIG_DIR ?? '']) chmodSync(path, 0o755);
    }
    const variables = { ...env, TMPDIR: scratch, NODE_ENV: 'production' };
    const { port } = await startProcess(t, variables, {
      entry: join(folder, 'src/cli/sallyport.js'),
      cwd: folder,
      ...(asRoot && { uid: nobody, gid: nobody }),
    });

    const issuer = `http://localhost:${port}`;
    const app = await createTestApp({ issuer } as TestGateway, shop);
    const { tokens } = await signIn({ issuer, sms } as TestGateway, app, alice);
    t.ok(tokens.access_token, 'Alice is logged in');
    t.equal((await fetch(`${issuer}/simulator`)).status, 404, 'no simulator');

    const [, check = '[]'] = /^HEALTHCHECK .*?CMD (\[.*\])$/m.exec(image) ?? [];
    const [command = '', ...args] = JSON.parse(check) as string[];
    t.equal(command, 'node');
    const health = (PORT: string) => spawnSync(process.execPath, args, { env: { PORT } }).status;
    t.equal(health(String(port)), 0, 'the health check passes');
    t.equal(health('1'), 1, 'and fails where nobody answers');
    t.match(image, /^USER node$/m);
  },
);
