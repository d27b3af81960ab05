/* What can be shown of compose.yaml and the Dockerfile without an engine for containers. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { parse } from 'yaml';
import { readEnvironment } from '../../src/config/index.ts';

const root = join(import.meta.dirname, '../..');
const read = (name: string) => readFileSync(join(root, name), 'utf8');

interface Service {
  image: string;
  environment: Record<string, string>;
  depends_on?: Record<string, { condition: string }>;
  stop_grace_period?: string;
  read_only?: boolean;
  healthcheck?: { test: string[] };
  configs?: { source: string; target: string }[];
  ports?: string[];
}
interface Compose {
  services: Record<string, Service>;
  configs: Record<string, { content: string }>;
}

const text = read('compose.yaml');
const compose = parse(text, { merge: true }) as Compose;
const { database, proxy, ...gateways } = compose.services;
/** What the comment at the top tells people to set. */
const set: Record<string, string> = {
  SECRET_KEY: Buffer.alloc(32, 7).toString('base64'),
  POSTGRES_PASSWORD: '0123456789abcdef',
};

/** As the engine does: `${NAME:?}` has to be there, `${NAME:-default}` need not. */
const filled = (value: string): string =>
  value.replace(/\$\{(\w+)(?::([-?])([^}]*))?\}/g, (_, name: string, kind: string, otherwise: string) => {
    if (set[name] !== undefined) return set[name];
    if (kind !== '-') throw new Error(`${name} is not set`);
    return otherwise;
  });

/** Blocks and directives of nginx, each as its words; throws where nginx would not read on. */
type Directive = { words: string[]; block: Directive[] | null };
function nginx(content: string): Directive[] {
  const tokens = content.replace(/^\s*#.*$/gm, '').match(/"[^"]*"|[{};]|[^\s{};"]+/g) ?? [];
  const stack: Directive[][] = [[]];
  let words: string[] = [];
  for (const token of tokens) {
    if (token === ';' || token === '{') {
      if (words.length === 0) throw new Error(`nothing stands before ${token}`);
      const directive: Directive = { words, block: token === '{' ? [] : null };
      stack.at(-1)?.push(directive);
      if (directive.block) stack.push(directive.block);
      words = [];
    } else if (token === '}') {
      if (words.length > 0) throw new Error(`${words.join(' ')} has no end`);
      stack.pop();
    } else {
      words.push(token.replace(/^"(.*)"$/, '$1'));
    }
  }
  const [all] = stack;
  if (stack.length !== 1 || words.length > 0 || !all) throw new Error('a block has no end');
  return all;
}

const named = (block: Directive[] | null | undefined, ...words: string[]): Directive[] =>
  (block ?? []).filter((directive) => words.every((word, at) => directive.words[at] === word));

t.test('gateways', (t) => {
  t.strictSame(Object.keys(gateways), ['gateway-1', 'gateway-2']);
  const image = Object.fromEntries(
    [...read('Dockerfile').matchAll(/(NODE_ENV|HOST)=(\S+)/g)].map((m) => m.slice(1)),
  );
  for (const [name, service] of Object.entries(gateways)) {
    const asked = new Set<string>();
    const given = { ...image } as Record<string, string>;
    for (const [variable, value] of Object.entries(service.environment)) given[variable] = filled(value);
    const environment = readEnvironment(
      new Proxy(given, {
        get(target, variable: string) {
          asked.add(variable);
          return target[variable];
        },
      }),
    );
    t.strictSame(
      Object.keys(service.environment).filter((variable) => !asked.has(variable)),
      [],
      `${name}: every variable means something`,
    );
    t.match(environment, { port: 3000, host: '0.0.0.0', configDir: '/config', dataDir: '/tmp', demo: false });
    const url = new URL(environment.databaseUrl ?? '');
    t.equal(url.hostname, 'database');
    t.equal(url.username, database?.environment.POSTGRES_USER);
    t.equal(url.pathname, `/${database?.environment.POSTGRES_DB}`);
    t.equal(decodeURIComponent(url.password), set.POSTGRES_PASSWORD);
    t.equal(url.password, filled(database?.environment.POSTGRES_PASSWORD ?? ''));
    t.ok(Number.parseInt(service.stop_grace_period ?? '', 10) > 10, 'a stop has its time');
    t.ok(service.read_only);
    t.equal(service.depends_on?.database?.condition, 'service_healthy');
  }
  const { POSTGRES_USER, POSTGRES_DB } = database?.environment ?? {};
  t.strictSame(database?.healthcheck?.test, [
    'CMD-SHELL',
    `pg_isready -U ${POSTGRES_USER} -d ${POSTGRES_DB}`,
  ]);
  t.end();
});

t.test('no secret has a value that somebody knows', (t) => {
  const secrets = [...text.matchAll(/\$\{(SECRET_KEY|POSTGRES_PASSWORD)([^}]*)\}/g)];
  t.ok(secrets.length >= 3);
  for (const [whole, , rest] of secrets) t.equal(rest, ':?', whole);
  t.notMatch(text, /^ +\w*(?:SECRET_KEY|PASSWORD): (?!\$\{)/m);
  t.end();
});

t.test('the proxy', (t) => {
  const content = compose.configs.proxy?.content ?? '';
  t.notMatch(content, /(?<!\$)\$(?!\$)/, 'the engine would take a single $ for its own');
  const [upstreams, server] = ((all) => [named(all, 'upstream')[0], named(all, 'server')[0]])(
    nginx(content.replaceAll('$$', '$')),
  );
  t.strictSame(
    named(upstreams?.block, 'server').map(({ words }) => words[1]),
    Object.keys(gateways).map((name) => `${name}:3000`),
    'each gateway, at the port that the image exposes',
  );
  t.match(read('Dockerfile'), /^EXPOSE 3000$/m);
  const all = named(server?.block, 'location', '/')[0]?.block;
  const one = (name: string) => named(all, name)[0]?.words.slice(1).join(' ');
  t.equal(one('proxy_pass'), `http://${upstreams?.words[1]}`);
  const sent = Object.fromEntries(
    named(all, 'proxy_set_header').map(({ words: [, name = '', value] }) => [name, value]),
  );
  t.strictSame(sent, {
    // Connections to the gateways are used again.
    Connection: '',
    Host: '$http_host',
    // Not what the stranger sent: the proxy is believed.
    'X-Forwarded-For': '$remote_addr',
    'X-Forwarded-Proto': '$scheme',
    'X-Forwarded-Host': '$http_host',
    traceparent: '',
  });
  t.equal(
    one('proxy_next_upstream'),
    'error timeout',
    'what was refused at one goes to the other, and nothing else',
  );
  t.ok(Number.parseInt(one('proxy_read_timeout') ?? '', 10) > 25, 'longer than a request may take');
  t.equal(named(server?.block, 'location', '=', '/metrics')[0]?.block?.[0]?.words.join(' '), 'return 404');
  const listen = named(server?.block, 'listen')[0]?.words[1];
  t.ok(proxy?.ports?.[0]?.endsWith(`:${listen}`));
  t.equal(
    new URL(filled(gateways['gateway-1']?.environment.ISSUER ?? '')).port,
    filled(proxy?.ports?.[0] ?? '').split(':')[0],
  );
  for (const name of Object.keys(gateways)) t.equal(proxy?.depends_on?.[name]?.condition, 'service_healthy');
  t.strictSame(proxy?.configs, [{ source: 'proxy', target: '/etc/nginx/conf.d/default.conf' }]);
  t.throws(() => nginx('server { listen 80 }'), 'the reader here notices what nginx would not take');
  t.end();
});

t.test('the image is what test/operations/production.test.ts builds', (t) => {
  const lines = read('Dockerfile')
    .replaceAll('\\\n', '')
    .split('\n')
    .filter((line) => /^[A-Z]+ /.test(line));
  t.strictSame(
    [...new Set(lines.map((line) => line.split(' ')[0]))],
    ['FROM', 'WORKDIR', 'COPY', 'RUN', 'ENV', 'USER', 'EXPOSE', 'HEALTHCHECK', 'CMD'],
    'no step that it does not know',
  );
  t.strictSame(
    lines.filter((line) => line.startsWith('RUN')),
    ['RUN npm ci --omit=dev && rm -rf node_modules/node-linux-*'],
  );
  t.equal(lines.at(-1), 'CMD ["node", "src/cli/sallyport.js", "serve"]');
  const kept = read('.dockerignore').split('\n').filter(Boolean);
  for (const line of lines.filter((line) => /^COPY (?!--from)/.test(line))) {
    for (const name of line.split(' ').slice(1, -1)) {
      t.ok(existsSync(join(root, name)), `${name} is there`);
      t.notOk(kept.includes(name), `${name} reaches the engine`);
    }
  }
  for (const never of ['config/demo', '.git', 'data', 'node_modules'])
    t.ok(kept.includes(never), `${never} does not`);
  t.end();
});
