import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { notApplicable, plans } from './plans.ts';

const tested = globSync('*.test.ts', { cwd: import.meta.dirname }).flatMap((file) =>
  [...readFileSync(join(import.meta.dirname, file), 'utf8').matchAll(/\.test\(\s*'(oidcc-[\w-]+)/g)].map(
    ([, name = '']) => name,
  ),
);
const modules = Object.values(plans).flat() as string[];

t.test('every module of the plans has one test of its name, or a reason', async (t) => {
  for (const name of modules) {
    const count = tested.filter((other) => other === name).length;
    t.equal(count, name in notApplicable ? 0 : 1, name);
  }
});

t.test('no test and no reason bears a name that is in no plan', async (t) => {
  for (const name of [...tested, ...Object.keys(notApplicable)]) t.ok(modules.includes(name), name);
});
