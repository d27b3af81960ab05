/* biome-ignore-all lint/suspicious/noTemplateCurlyInString: references are written like this */
import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { createReader, createReferences, validateFolder } from '../../src/config/index.ts';
import { folderWith, sections } from './fixtures.ts';

const references = createReferences({ SIZE: '7', WORD: 'word' });
const reader = createReader({ sections, references });

const faultsIn = (t: Test, files: Record<string, string>) =>
  reader.read(folderWith(t, files)).faults.map(({ path, message }) => `${path}: ${message}`);

t.test('faults of files', (t) => {
  const cases: [files: Record<string, string>, faults: (string | RegExp)[]][] = [
    [{ 'boxes.yaml': '' }, []],
    [{ 'boxes.json': '{"boxes": [{"id": "a"}]}' }, []],
    [
      { 'boxes.yaml': '', 'README.md': 'x', '.hidden.yaml': ': :', 'schema.json': '{}', 'prices.csv': '' },
      [],
    ],
    [
      { 'README.md': 'x', 'schema.json': '{}' },
      [/holds none of the files that are read: gateway.yaml, boxes/],
    ],
    [{}, [/holds none of the files/]],
    [{ 'Boxes.YAML': '' }, ["Boxes.YAML: is no file that this version reads; did you mean 'boxes.yaml'?"]],
    [{ 'boxes.yaml': 'boxes: !secret x' }, [/^boxes.yaml: line 1, column 8: Unresolved tag: !secret$/]],
    [{ 'boxes.yaml': 'boxes: []\n---\nboxes: []' }, [/^boxes.yaml: line 2.*: a second document begins here/]],
    [{ 'boxs.yaml': '' }, ["boxs.yaml: is no file that this version reads; did you mean 'boxes.yaml'?"]],
    [{ 'other.yml': '' }, [/^other.yml: .*it reads gateway.yaml, boxes.yaml/]],
    [{ 'boxes.yaml': '', 'boxes.yml': '' }, [/^boxes.yml: .*another file named boxes/]],
    [
      { 'boxes.yaml': 'boxes:\n  - { id: a, id: b }' },
      [/^boxes.yaml: line 2, column 14: Map keys must be unique$/],
    ],
    [{ 'boxes.yaml': 'boxes: [' }, [/^boxes.yaml: line 1, column 9/]],
    [{ 'boxes.yaml': 'boxes: *none' }, [/^boxes.yaml: .*none/]],
    [{ 'boxes.yaml': '- a' }, ['boxes.yaml: must be a group of members']],
    [{ 'boxes.yaml': 'things: []' }, ['boxes.yaml: things: belongs in things.yaml']],
    [{ 'gateway.yaml': 'boxes: []' }, ['gateway.yaml: boxes: belongs in boxes.yaml']],
    [{ 'boxes.yaml': 'boxes: {}' }, ['boxes.yaml: boxes: must be a list']],
    [{ 'boxes.yaml': 'boxes: [a]' }, ['boxes.yaml: boxes[0]: must be a group of members']],
    [{ 'boxes.yaml': 'boxes: [{ size: 1 }]' }, ['boxes.yaml: boxes[0].id: is missing']],
    [
      { 'boxes.yaml': 'boxes: [{ id: a }, { id: b }, { id: a }]' },
      ["boxes.yaml: boxes[2]: has the same name as boxes[0]: 'a'"],
    ],
    [{ 'boxes.yaml': 'boxes: [{ id: 12 }]' }, ['boxes.yaml: boxes[0].id: must be text: put it in quotes']],
    [{ 'boxes.yaml': 'boxes: [{ id: "${env:NONE}" }]' }, [/^boxes.yaml: boxes\[0\].id: .*NONE is not set/]],
    [
      { 'boxes.yaml': 'boxes: [{ id: a, size: "${env:WORD}" }]' },
      ['boxes.yaml: boxes[0].size: must be a whole number'],
    ],
    [{ 'gateway.yaml': 'colour: { depth: 17 }' }, ['gateway.yaml: colour.depth: must be at most 16']],
    [{ 'gateway.yaml': 'colors: {}' }, [/^gateway.yaml: colors: is unknown; did you mean 'colour'/]],
  ];
  for (const [files, expected] of cases) {
    const found = faultsIn(t, files);
    t.match(found, expected, JSON.stringify(files));
    t.equal(found.length, expected.length, found.join(' | '));
  }
  const folder = folderWith(t, {});
  mkdirSync(join(folder, 'boxes.yaml'));
  t.match(
    reader.read(folder).faults,
    [{ path: 'boxes.yaml', message: /EISDIR/ }],
    'a folder with such a name',
  );
  t.match(reader.read('/nowhere').faults, [{ path: '/nowhere', message: /ENOENT/ }]);
  t.end();
});

t.test('documents as written and as resolved', (t) => {
  const { documents, faults } = reader.read(
    folderWith(t, {
      'gateway.yaml': 'colour: {}',
      'boxes.yaml': 'boxes: [{ id: a, size: "${env:SIZE}" }, { id: b }]',
    }),
  );
  t.strictSame(faults, []);
  t.strictSame(documents, {
    gateway: 'gateway.yaml',
    settings: {
      colour: { path: 'gateway.yaml: colour', valid: true, raw: {}, resolved: { name: 'grey', depth: 8 } },
    },
    collections: {
      boxes: [
        {
          id: 'a',
          path: 'boxes.yaml: boxes[0]',
          valid: true,
          raw: { id: 'a', size: '${env:SIZE}' },
          resolved: { id: 'a', size: 7 },
        },
        {
          id: 'b',
          path: 'boxes.yaml: boxes[1]',
          valid: true,
          raw: { id: 'b' },
          resolved: { id: 'b', size: 1 },
        },
      ],
    },
  });
  t.end();
});

t.test('every fault of every kind in one run', (t) => {
  const folder = folderWith(t, {
    'gateway.yaml': 'colour: { name: plaid }',
    'boxes.yaml': 'boxes: [{ id: a }, { id: b, sise: 1 }]',
    'things.yaml': 'things: [{ id: x, box: b }, { id: y, box: none }, { id: z, box: "${env:NONE}" }]',
  });
  t.strictSame(
    validateFolder({ sections, references }, folder).faults.map(({ path }) => path),
    [
      'boxes.yaml: boxes[1].sise',
      'things.yaml: things[2].box',
      'gateway.yaml: colour.name',
      'things.yaml: things[1].box',
    ],
    'and nothing follows from a fault found before',
  );
  t.end();
});

t.test('a folder as a cluster mounts it: links to files, in hidden folders', (t) => {
  const folder = folderWith(t, {});
  mkdirSync(join(folder, '..data'));
  symlinkSync(
    join(folderWith(t, { 'real.yaml': 'boxes: [{ id: a }]' }), 'real.yaml'),
    join(folder, 'boxes.yaml'),
  );
  const { documents, faults } = reader.read(folder);
  t.strictSame(faults, []);
  t.equal(documents.collections.boxes?.length, 1);
  t.end();
});
