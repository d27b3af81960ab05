import t from 'tap';
import { createValidator } from '../../src/config/index.ts';
import type { Candidate } from '../../src/config/types.ts';
import { flowFaults } from '../../src/flows/documents/checks.ts';
import { type FlowDocument, flowSchema } from '../../src/flows/documents/schema.ts';
import { fillTemplate, templates } from '../../src/flows/index.ts';
import { methods } from '../../src/flows/methods/index.ts';

const providers = new Map(
  [['main', { channel: 'sms', enabled: true }]].map(([id, document]) => {
    const loaded = document as Record<string, unknown>;
    return [id as string, { raw: loaded, resolved: loaded }];
  }),
);
const candidate: Candidate = {
  collection: (member) => (member === 'providers' ? providers : new Map()),
  setting: () => undefined,
};

const faultsOf = (document: FlowDocument) => [
  ...createValidator(flowSchema(methods))(structuredClone(document), document).faults,
  ...flowFaults(document, methods, candidate),
];

t.test('each template is a flow that may be saved', async (t) => {
  t.ok(templates.length >= 8);
  for (const { id, parameters } of templates) {
    const document = fillTemplate(id, {});
    t.same(faultsOf(document), [], id);
    t.equal(document.id, id);
    const again = Object.fromEntries(parameters.map((one) => [one.name, one.default]));
    t.same(fillTemplate(id, again), document, 'the usual values are values that may be given');
  }
});

t.test('values', async (t) => {
  const condition = (id: string, values: Record<string, string>) => fillTemplate(id, values).steps[1]?.when;
  t.equal(condition('step-up-by-group', { group: 'finance' }), '"finance" in user.groups || size(acr) > 0');
  t.match(condition('outside-office', { network: '2001:db8::/32' }), 'request.ip.inRange("2001:db8::/32")');
  t.match(condition('night-time', { from: '23', timeZone: 'UTC' }), '>= 23 || now.getHours("UTC") < 6');
  for (const [id, values, path] of [
    ['step-up-by-group', { group: '" || true || "' }, 'group'],
    ['step-up-by-group', { grup: 'x' }, 'grup'],
    ['age-of-user', { age: '18 || true' }, 'age'],
    ['night-time', { until: '24' }, 'until'],
    ['night-time', { timeZone: 'x"' }, 'timeZone'],
    ['outside-office', { network: 'office' }, 'network'],
    ['password', { x: 'y' }, 'x'],
  ] as const) {
    t.throws(() => fillTemplate(id, values), { errors: [{ path }] }, `${id} ${JSON.stringify(values)}`);
  }
  t.throws(() => fillTemplate('pasword', {}), { code: 'template_unknown' });
});
