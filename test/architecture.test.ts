import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { type AnyNode, parse } from 'acorn';
import { fullAncestor, simple } from 'acorn-walk';
import t from 'tap';

/*
 * The structure that ARCHITECTURE.md describes, enforced. Each rule says why it exists, so that who breaks one
 * learns what it protects.
 */

const root = resolve(import.meta.dirname, '..');

const ranks: Record<string, number> = {
  lib: 0,
  config: 2,
  storage: 1,
  telemetry: 1,
  crypto: 2,
  http: 3,
  audit: 3,
  users: 4,
  apps: 4,
  guard: 4,
  delivery: 5,
  sessions: 6,
  otp: 6,
  notices: 6,
  flows: 7,
  oidc: 8,
  account: 8,
  people: 8,
  admin: 8,
  'otp-api': 8,
  'forward-auth': 8,
  demo: 8,
  /** The files that stand directly in src: composition root and process. */
  '.': 9,
  cli: 10,
};

const limits = { fileLines: 300, functionLines: 60, folderFiles: 15, upwardSteps: 2 };
/** Registries grow by one file per method or preset: that is their purpose. */
const registries = new Set(['src/flows/methods', 'src/delivery/presets']);

interface Import {
  target: string;
  typeOnly: boolean;
  specifier: string;
}

interface Source {
  path: string;
  lines: number;
  imports: Import[];
  tree: AnyNode;
  code: string;
}

function filesBelow(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return filesBelow(path);
    return /\.(ts|js)$/.test(entry.name) ? [path] : [];
  });
}

const importPattern = /^\s*(?:import|export)\s+(type\s+)?(?:[^'"();]*?\sfrom\s+)?['"]([^'"]+)['"]/gm;
const dynamicPattern = /\bimport\(\s*['"]([^'"]+)['"]\s*\)/g;

function importsOf(path: string, text: string): Import[] {
  const found: Import[] = [];
  const add = (specifier: string, typeOnly: boolean) => {
    const target = specifier.startsWith('.')
      ? relative(root, resolve(root, dirname(path), specifier))
      : specifier;
    found.push({ target, typeOnly, specifier });
  };
  for (const [, type, specifier] of text.matchAll(importPattern)) add(specifier ?? '', type !== undefined);
  for (const [, specifier] of text.matchAll(dynamicPattern)) add(specifier ?? '', false);
  return found;
}

function read(path: string): Source {
  const text = readFileSync(join(root, path), 'utf8');
  // Types are blanked out, not removed: lines keep their numbers.
  const code = path.endsWith('.ts') ? stripTypeScriptTypes(text, { mode: 'strip' }) : text;
  const tree = parse(code, { ecmaVersion: 'latest', sourceType: 'module', locations: true });
  return { path, lines: text.trimEnd().split('\n').length, imports: importsOf(path, text), tree, code };
}

const sources = filesBelow('src').map(read);
const all = [...sources, ...filesBelow('migrations').map(read)];

/** The folder below src; the files directly in it are one feature. */
function featureOf(path: string): string {
  const [, name = '', ...inside] = path.split('/');
  return inside.length === 0 && name.endsWith('.ts') ? '.' : name;
}
const lineOf = (node: AnyNode): number => node.loc?.start.line ?? 0;

t.test('every folder of src has a rank', async (t) => {
  for (const entry of readdirSync(join(root, 'src'))) {
    if (entry.endsWith('.md')) continue;
    t.ok(
      featureOf(`src/${entry}`) in ranks,
      `src/${entry} needs a rank in the map (ARCHITECTURE.md): without one nobody knows who may use it`,
    );
  }
});

t.test('imports go down, through doors', async (t) => {
  for (const source of sources) {
    const own = featureOf(source.path);
    for (const { target, typeOnly } of source.imports) {
      if (!target.startsWith('src/')) continue;
      const other = featureOf(target);
      if (other === own) continue;
      const where = `${source.path} imports ${target}`;
      if ((ranks[other] ?? 99) >= (ranks[own] ?? -1)) {
        t.fail(
          `${where}: rank ${ranks[own]} may only use lower ranks; take it as a dependency from app.ts instead, so that no cycle can arise`,
        );
      }
      const inside = target.split('/').slice(2).join('/');
      const door =
        other === 'lib' || inside === '' || inside === 'index.ts' || (inside === 'types.ts' && typeOnly);
      if (!door)
        t.fail(
          `${where}: use the folder's door (index.ts, or types.ts by "import type"); what lies behind it is free to change`,
        );
    }
  }
  t.pass('looked at every import');
});

t.test('migrations stand alone, and only the entry and the tests know them', async (t) => {
  for (const source of all) {
    for (const { target } of source.imports) {
      if (source.path.startsWith('migrations/') && target.startsWith('src/')) {
        t.fail(
          `${source.path} imports ${target}: a migration must mean the same for ever, so it uses no code that changes`,
        );
      }
      if (
        target.startsWith('migrations/') &&
        source.path.startsWith('src/') &&
        source.path !== 'src/app.ts'
      ) {
        t.fail(`${source.path} imports ${target}: the composition root hands migrations to storage`);
      }
    }
  }
  t.pass('looked at every import');
});

t.test('no import cycles between files', async (t) => {
  const graph = new Map(
    sources.map((s) => [s.path, s.imports.filter((i) => !i.typeOnly).map((i) => i.target)] as const),
  );
  const state = new Map<string, 'open' | 'done'>();
  const visit = (path: string, trail: string[]): void => {
    if (state.get(path) === 'done') return;
    if (state.get(path) === 'open') {
      const cycle = [...trail.slice(trail.indexOf(path)), path];
      t.fail(`cycle: ${cycle.join(' → ')}; a reader could not start anywhere`);
      return;
    }
    state.set(path, 'open');
    for (const next of graph.get(path) ?? []) if (graph.has(next)) visit(next, [...trail, path]);
    state.set(path, 'done');
  };
  for (const path of graph.keys()) visit(path, []);
  t.ok(graph.size > 20, 'the graph was read');
});

t.test('small enough to be read', async (t) => {
  for (const source of all) {
    if (source.lines > limits.fileLines) {
      t.fail(
        `${source.path} has ${source.lines} lines (at most ${limits.fileLines}): it does more than one thing`,
      );
    }
    for (const { specifier } of source.imports) {
      const steps = specifier.split('/').filter((part) => part === '..').length;
      if (steps > limits.upwardSteps) t.fail(`${source.path} imports ${specifier}: too far away; nest less`);
    }
    const measure = (node: AnyNode): void => {
      const lines = (node.loc?.end.line ?? 0) - lineOf(node) + 1;
      if (lines > limits.functionLines) {
        t.fail(
          `${source.path}:${lineOf(node)} is a function of ${lines} lines (at most ${limits.functionLines}): name its parts`,
        );
      }
    };
    simple(source.tree, {
      FunctionDeclaration: measure,
      FunctionExpression: measure,
      ArrowFunctionExpression: measure,
    });
  }
  const folders = new Map<string, number>();
  for (const { path } of all) folders.set(dirname(path), (folders.get(dirname(path)) ?? 0) + 1);
  for (const [folder, count] of folders) {
    if (registries.has(folder)) continue;
    t.ok(
      count <= limits.folderFiles,
      `${folder} has ${count} files (at most ${limits.folderFiles}): split it by what it does`,
    );
  }
});

t.test('every feature folder has a door that says what it owns', async (t) => {
  for (const folder of Object.keys(ranks)) {
    const path = join(root, 'src', folder);
    if (folder === 'lib' || folder === '.' || !existsSync(path)) continue;
    const door = join(path, 'index.ts');
    if (folder === 'cli') continue;
    t.ok(existsSync(door), `src/${folder} has no index.ts: others could not tell what is public`);
    if (!existsSync(door)) continue;
    const head = /^\/\*\*[\s\S]*?\*\//.exec(readFileSync(door, 'utf8'))?.[0] ?? '';
    t.ok(
      head !== '',
      `src/${folder}/index.ts must begin with a comment that says what the folder owns and what not`,
    );
    t.ok(head.split('\n').length <= 22, `src/${folder}/index.ts: the head comment has at most 20 lines`);
  }
});

const isMember = (node: AnyNode, object: string, property: string): boolean =>
  node.type === 'MemberExpression' &&
  node.object.type === 'Identifier' &&
  node.object.name === object &&
  node.property.type === 'Identifier' &&
  node.property.name === property;

/** Whether an identifier is used as a free name, not as a member, a key or a parameter. */
function isFreeUse(node: AnyNode, ancestors: AnyNode[]): boolean {
  const parent = ancestors.at(-2);
  if (parent?.type === 'MemberExpression') return parent.object === node || parent.computed;
  if (parent?.type === 'Property') return parent.value === node;
  return parent?.type === 'CallExpression';
}

t.test('words that belong to one place', async (t) => {
  const mayReadEnvironment = (path: string) => path.startsWith('src/config/');
  const maySpeakHttp = (path: string) =>
    path.startsWith('src/delivery/') || path === 'src/demo/http-client.ts';
  const mayReadTime = (path: string) => path === 'src/lib/clock.ts';
  const mayPrint = (path: string) => path.startsWith('src/cli/') || path.startsWith('src/demo/');
  for (const { path, tree, imports } of sources) {
    fullAncestor(tree, (node, _state, ancestors) => {
      const at = `${path}:${lineOf(node)}`;
      if (isMember(node, 'process', 'env') && !mayReadEnvironment(path)) {
        t.fail(
          `${at} reads process.env: configuration is read once, in src/config, where every fault is reported together`,
        );
      }
      if (isMember(node, 'Date', 'now') && !mayReadTime(path)) {
        t.fail(
          `${at} calls Date.now: take the clock or the moment as a parameter, so that a test can choose it`,
        );
      }
      if (node.type === 'NewExpression' && node.callee.type === 'Identifier' && node.callee.name === 'Date') {
        if (node.arguments.length === 0 && !mayReadTime(path))
          t.fail(`${at} calls new Date(): take the clock as a parameter`);
      }
      if (
        node.type === 'Identifier' &&
        node.name === 'fetch' &&
        isFreeUse(node, ancestors) &&
        !maySpeakHttp(path)
      ) {
        t.fail(
          `${at} uses fetch: requests leave only through the egress policy of src/delivery, which checks addresses`,
        );
      }
      if (
        node.type === 'Identifier' &&
        node.name === 'console' &&
        isFreeUse(node, ancestors) &&
        !mayPrint(path)
      ) {
        t.fail(`${at} prints: use the log, which redacts`);
      }
    });
    for (const { target } of imports) {
      if (target === 'undici' && !maySpeakHttp(path)) {
        t.fail(`${path} imports undici: requests leave only through the egress policy of src/delivery`);
      }
    }
  }
  t.pass('looked at every file');
});

t.test('SQL takes its time from the caller', async (t) => {
  for (const { path, code } of sources) {
    const found = /\b(now\(\)|current_timestamp|clock_timestamp\(\))/i.exec(code.replace(/\.now\(\)/g, ''));
    if (found !== null && !path.startsWith('src/storage/')) {
      t.fail(
        `${path} asks the database for the time (${found[0]}): moments are compared with the injected clock`,
      );
    }
  }
  t.pass('looked at every file');
});
