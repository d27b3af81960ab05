/* biome-ignore-all lint/suspicious/noTemplateCurlyInString: references are written like this */
import t from 'tap';
import { createReferences } from '../../src/config/index.ts';

const references = createReferences({ NAME: 'value', EMPTY: '', TEXT: '${env:NAME}' }, (path) => {
  if (path === '/run/secret') return 'from a file\n';
  throw Object.assign(new Error('no'), { code: 'ENOENT' });
});

t.test('what a reference becomes', (t) => {
  const cases: [written: string, resolved: string][] = [
    ['${env:NAME}', 'value'],
    ['Bearer ${env:NAME}!', 'Bearer value!'],
    ['${env:NAME}${env:NAME}', 'valuevalue'],
    ['${env:NONE:-default}', 'default'],
    ['${env:EMPTY:-default}', 'default'],
    ['${env:EMPTY}', ''],
    ['${env:NONE:-}', ''],
    ['${env:NONE:-http://localhost:3001}/callback', 'http://localhost:3001/callback'],
    ['${env:TEXT}', '${env:NAME}'],
    ['${file:/run/secret}', 'from a file'],
    ['${stored} $ctx.msg {{body}} $${x}', '${stored} $ctx.msg {{body}} $${x}'],
  ];
  for (const [written, resolved] of cases) {
    t.strictSame(references.resolve(written), { value: resolved, faults: [] }, written);
  }
  t.end();
});

t.test('what was meant to be a reference is not taken at its word', (t) => {
  const cases = [
    '${env:NAME',
    '${NAME_WITHOUT_A_KIND}',
    '${ env:NAME}',
    '${env:NONE:-${env:NAME}}',
    'a ${env:NAME} and ${file:/run/secret',
    '${}',
  ];
  for (const written of cases) {
    const { value, faults } = references.resolve({ secret: written });
    t.strictSame(value, { secret: written });
    t.match(faults, [{ path: 'secret', message: /begins no reference/ }], written);
    t.equal(faults.length, 1, written);
  }
  t.end();
});

t.test('what cannot be resolved is named with its place', (t) => {
  const { faults } = references.resolve({
    a: ['${env:NONE}', { b: '${file:/nowhere}' }],
    c: '${file:relative}',
    d: '${ENV:NAME}',
    e: '${env:not a name}',
    f: '${env:NONE} ${env:ALSO_NONE}',
  });
  t.strictSame(
    faults.map(({ path }) => path),
    ['a[0]', 'a[1].b', 'c', 'd', 'e', 'f', 'f'],
  );
  t.match(faults[0]?.message, /NONE is not set/);
  t.end();
});

t.test('other values are copied as they are', (t) => {
  const document = {
    n: 1,
    b: true,
    z: null,
    list: [1, [2]],
    '${env:NAME}': 'member names are no references',
  };
  t.strictSame(references.resolve(document).value, document);
  t.equal(references.has('x ${env:NAME}'), true);
  t.equal(references.has('${stored}'), false);
  t.end();
});
