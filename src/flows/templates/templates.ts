import { type Fault, Problem } from '../../lib/problem.ts';
import type { FlowDocument, StepDocument } from '../documents/schema.ts';
import { acrNames } from '../engine/describe.ts';
import { methods } from '../methods/index.ts';

/** A value that stands in a template; whoever takes the template may give another one. */
export interface TemplateParameter {
  name: string;
  about: string;
  default: string;
  /** What a value has to look like, and how that is said. */
  pattern: RegExp;
  is: string;
}

/** A flow to begin with. */
export interface FlowTemplate {
  id: string;
  name: string;
  about: string;
  parameters: TemplateParameter[];
  steps(values: Record<string, string>): StepDocument[];
  /** What is wrong with values that are right each by itself. */
  faults?(values: Record<string, string>): Fault[];
}

const first: StepDocument = { id: 'first', options: ['password'] };

/** Every possession that is registered, and the way out for those who have lost theirs. */
const secondFactors = (): string[] =>
  [...methods.values()]
    .filter(({ kind }) => kind === 'possession' || kind === 'recovery')
    .sort((a, b) => Number(a.kind === 'recovery') - Number(b.kind === 'recovery'))
    .map(({ id }) => id);

const second = (): StepDocument => ({ id: 'second', options: secondFactors(), onUnavailable: 'enrol' });

/** An app that wishes for two factors gets them, whatever else the condition says. */
const wished = `acr.exists(wish, wish.startsWith("${acrNames.two}"))`;

/** Password, and a second factor where the condition is true or cannot be told. */
const unless = (when: string): StepDocument[] => [first, { ...second(), when: `${when} || ${wished}` }];

/** As a literal of CEL. */
const quoted = (value: string | undefined): string => JSON.stringify(value ?? '');

const hour = (name: string, about: string, value: string): TemplateParameter => ({
  ...{ name, about, default: value },
  ...{ pattern: /^([01]?[0-9]|2[0-3])$/, is: 'a whole hour from 0 to 23' },
});

const timeZone: TemplateParameter = {
  ...{ name: 'timeZone', about: 'whose clock counts', default: 'Europe/Berlin' },
  ...{ pattern: /^[A-Za-z_]+(\/[A-Za-z0-9_+-]+)*$/, is: 'a time zone such as Europe/Berlin' },
};

/** From the plain one to those that look at where, when and who. */
export const templates: readonly FlowTemplate[] = [
  {
    id: 'password',
    name: 'Password',
    about: 'Nothing but the password. It then has to be a long one.',
    parameters: [],
    steps: () => [first],
  },
  {
    id: 'password-sms',
    name: 'Password, then a code by SMS',
    about: 'The code on every sign-in; backup codes for those without their phone.',
    parameters: [],
    steps: () => [first, { id: 'second', options: ['sms-otp', 'backup-code'], onUnavailable: 'enrol' }],
  },
  {
    id: 'password-any-second-factor',
    name: 'Password, then any second factor',
    about: 'Users choose what they have; who has nothing sets something up.',
    parameters: [],
    steps: () => [first, second()],
  },
  {
    id: 'step-up-by-group',
    name: 'A second factor for a group',
    about: 'Members of the group are asked for a second factor, others only where the app wants one.',
    parameters: [
      {
        ...{ name: 'group', about: 'who is asked for more', default: 'staff' },
        ...{ pattern: /^[^\s"\\]{1,64}$/, is: 'the name of a group' },
      },
    ],
    steps: ({ group }) => unless(`${quoted(group)} in user.groups`),
  },
  {
    id: 'new-device',
    name: 'A second factor in a new browser',
    about: 'Only a browser in which the second factor was never passed for this app is asked for it.',
    parameters: [],
    steps: () => unless('!device.known'),
  },
  {
    id: 'outside-office',
    name: 'A second factor outside the office',
    about: 'Who comes from the network of the office gives the password only.',
    parameters: [
      {
        ...{ name: 'network', about: 'the network of the office', default: '192.0.2.0/24' },
        ...{ pattern: /^[0-9a-fA-F.:]+\/[0-9]{1,3}$/, is: 'a network such as 192.0.2.0/24' },
      },
    ],
    steps: ({ network }) => unless(`!request.ip.inRange(${quoted(network)})`),
  },
  {
    id: 'night-time',
    name: 'A second factor at night',
    about: 'Between two hours of the night the password alone is not enough.',
    parameters: [
      hour('from', 'the hour in the evening', '22'),
      hour('until', 'the hour in the morning', '6'),
      timeZone,
    ],
    steps({ from, until, timeZone: zone }) {
      const now = `now.getHours(${quoted(zone)})`;
      // A night that begins after midnight lies within one day.
      const both = Number(from) < Number(until) ? '&&' : '||';
      return unless(`${now} >= ${Number(from)} ${both} ${now} < ${Number(until)}`);
    },
    faults: ({ from, until }) =>
      Number(from) === Number(until) ? [{ path: 'until', message: 'must be another hour than from' }] : [],
  },
  {
    id: 'age-of-user',
    name: 'A second factor by age',
    about: 'Users below an age, or of whom no birthdate is known, are asked for a second factor.',
    parameters: [
      {
        ...{ name: 'age', about: 'the age from which the password is enough', default: '18' },
        ...{ pattern: /^[1-9][0-9]{0,2}$/, is: 'a number of years' },
      },
    ],
    steps: ({ age }) => unless(`user.age < ${Number(age)}`),
  },
];

/** The document of a template, to be saved as it is or changed. Throws Problem 404, and 400 for its values. */
export function fillTemplate(id: string, given: Record<string, string>): FlowDocument {
  const template = templates.find((one) => one.id === id);
  if (!template) {
    const known = templates.map((one) => one.id).join(', ');
    throw new Problem({
      ...{ status: 404, code: 'template_unknown' },
      message: `There is no template “${id}”. There are ${known}.`,
    });
  }
  const values = Object.fromEntries(
    template.parameters.map((one) => [one.name, given[one.name] ?? one.default]),
  );
  const faults: Fault[] = Object.keys(given)
    .filter((name) => !(name in values))
    .map((name) => ({ path: name, message: `is no value of “${id}”${listed(template)}` }));
  for (const { name, pattern, is } of template.parameters) {
    if (!pattern.test(values[name] ?? '')) faults.push({ path: name, message: `must be ${is}` });
  }
  if (faults.length === 0) faults.push(...(template.faults?.(values) ?? []));
  if (faults.length > 0) {
    throw new Problem({
      ...{ status: 400, code: 'invalid_request', message: 'These values do not fit the template.' },
      errors: faults,
    });
  }
  return { id: template.id, name: template.name, steps: template.steps(values) };
}

const listed = ({ parameters }: FlowTemplate): string =>
  parameters.length === 0
    ? ', which has none'
    : `: there are ${parameters.map(({ name }) => name).join(', ')}`;
