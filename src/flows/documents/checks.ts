import type { Candidate } from '../../config/types.ts';
import { durationFault } from '../../lib/duration.ts';
import type { Fault } from '../../lib/problem.ts';
import type { AttributeDocument } from '../../users/index.ts';
import { conditionFaults } from '../conditions/check.ts';
import type { Method, Methods } from '../method.ts';
import type { Option } from '../types.ts';
import { type FlowDocument, readOption, type StepDocument } from './schema.ts';

/**
 * What the schema cannot say about a flow: whether it establishes who the user is, whether each step can be reached
 * and passed, and whether what it sends has a way out. All faults together, paths relative to the flow.
 */
export function flowFaults(document: FlowDocument, methods: Methods, candidate?: Candidate): Fault[] {
  const steps = document.steps.map((step) => ({ step, options: step.options.map(readOption) }));
  const kindOf = (option: Option) => methods.get(option.method)?.kind;
  const firstFactor = steps.findIndex(({ options }) =>
    options.some((option) => kindOf(option) !== 'identify'),
  );
  const faults = steps.flatMap(({ step, options }, index) => {
    const found = options
      .map((option) => methods.get(option.method))
      .filter((method) => method !== undefined);
    const earlier = steps.slice(0, index);
    return [
      ...stepFaults(step, found),
      ...exceptionFaults(step, index <= firstFactor, candidate),
      ...options.flatMap((option, at) => optionFaults(step, at, option, methods, candidate)),
      ...(index === 0 ? firstStepFaults(found) : laterStepFaults(found, earlier)),
      ...(index === firstFactor ? firstFactorFaults(step, found) : []),
      ...(earlier.some((other) => other.step.id === step.id)
        ? [{ path: 'id', message: `another step is called “${step.id}” already` }]
        : []),
    ].map(({ path, message }) => ({ path: `steps[${index}].${path}`, message }));
  });
  if (firstFactor < 0) {
    faults.push({ path: 'steps', message: 'asks nothing but a name: anyone could sign in as anyone' });
  }
  return faults;
}

function stepFaults(step: StepDocument, options: Method[]): Fault[] {
  const faults: Fault[] = [];
  for (const [index, { id }] of options.entries()) {
    if (options.findIndex((other) => other.id === id) < index) {
      faults.push({ path: `options[${index}]`, message: `“${id}” is listed twice` });
    }
  }
  if (options.length > 0 && options.every(({ kind }) => kind === 'recovery')) {
    const message =
      'offers only a way out: whoever has none left could never pass it; list another method beside it';
    faults.push({ path: 'options', message });
  }
  if (step.userMayDisable && options.every(({ channel }) => channel === null)) {
    faults.push({
      path: 'userMayDisable',
      message: 'there is no message code here that users could switch off',
    });
  }
  if (step.onUnavailable === 'enrol' && !options.some(({ enrols }) => enrols)) {
    faults.push({ path: 'onUnavailable', message: 'nothing here can be set up while signing in' });
  }
  faults.push(...graceFaults(step));
  const maxAge = step.maxAge === undefined ? null : durationFault('maxAge', step.maxAge, '30s', '365d');
  return maxAge ? [...faults, maxAge] : faults;
}

function graceFaults({ grace, onUnavailable }: StepDocument): Fault[] {
  if (grace === undefined) return [];
  if (onUnavailable !== 'enrol') {
    const message = 'is the time to set something up in, so it needs “onUnavailable: enrol” beside it';
    return [{ path: 'grace', message }];
  }
  const fault = durationFault('grace', grace, '1h', '365d');
  return fault ? [fault] : [];
}

/** What excuses from a step. Up to the first factor nothing does: nobody has shown anything yet. */
function exceptionFaults(step: StepDocument, first: boolean, candidate: Candidate | undefined): Fault[] {
  const faults: Fault[] = [];
  if (first && step.when !== undefined) {
    faults.push({ path: 'when', message: 'the first factor is asked of everyone: it can have no condition' });
  } else if (step.when !== undefined) {
    const sentences = conditionFaults(step.when, attributeTypes(candidate));
    faults.push(...sentences.map((message) => ({ path: 'when', message })));
  }
  if (first && step.remember !== undefined) {
    const message = 'the first factor is asked in every browser: it cannot be remembered';
    return [...faults, { path: 'remember', message }];
  }
  const fault = step.remember === undefined ? null : durationFault('remember', step.remember, '1h', '365d');
  return fault ? [...faults, fault] : faults;
}

/** In the words of CEL. */
const celTypes = { string: 'string', number: 'double', boolean: 'bool', list: 'list<string>' };

const attributeTypes = (candidate: Candidate | undefined): Record<string, string> =>
  Object.fromEntries(
    [...(candidate?.collection('attributes') ?? [])].flatMap(([name, { resolved }]) => {
      const { type } = resolved as unknown as AttributeDocument;
      return Object.hasOwn(celTypes, type) ? [[name, celTypes[type]]] : [];
    }),
  );

function optionFaults(
  step: StepDocument,
  index: number,
  { method: id, settings }: Option,
  methods: Methods,
  candidate: Candidate | undefined,
): Fault[] {
  const method = methods.get(id);
  if (!method) return [{ path: `options[${index}]`, message: `there is no method “${id}”` }];
  const own = method.faults?.(settings) ?? [];
  const faults = own.map(({ path, message }) => ({ path: `options[${index}].${id}.${path}`, message }));
  const { channel } = method;
  if (channel !== null && candidate && !hasChannel(candidate, channel)) {
    const message = `“${id}” needs a provider for the channel ${channel}, and none is configured and enabled`;
    faults.push({ path: `options[${index}]`, message });
  }
  if (method.kind === 'identify' && step.options.length > 1) {
    faults.push({ path: `options[${index}]`, message: `“${id}” stands alone in its step` });
  }
  return faults;
}

const hasChannel = (candidate: Candidate, channel: string): boolean =>
  [...candidate.collection('providers').values()].some(
    ({ resolved }) => resolved.channel === channel && resolved.enabled !== false,
  );

function firstStepFaults(options: Method[]): Fault[] {
  return options.flatMap(({ id, identifies }, index) =>
    identifies
      ? []
      : [
          {
            path: `options[${index}]`,
            message: `“${id}” does not establish who the user is, and nothing before it does`,
          },
        ],
  );
}

function laterStepFaults(options: Method[], earlier: { step: StepDocument; options: Option[] }[]): Fault[] {
  return options.flatMap(({ id, kind }, index) => {
    const path = `options[${index}]`;
    if (kind === 'identify') return [{ path, message: `“${id}” can only be the first step` }];
    const asked = earlier.find(
      ({ options: [only, ...more], step }) =>
        only?.method === id && more.length === 0 && step.when === undefined,
    );
    return asked ? [{ path, message: `the step “${asked.step.id}” has asked for “${id}” already` }] : [];
  });
}

/** Before it nobody has shown anything: it must be asked of everyone, and a way out is none. */
function firstFactorFaults(step: StepDocument, options: Method[]): Fault[] {
  const faults = options.flatMap(({ id, kind }, index) =>
    kind === 'recovery'
      ? [{ path: `options[${index}]`, message: `“${id}” can only follow another factor` }]
      : [],
  );
  if (step.userMayDisable) {
    faults.push({ path: 'userMayDisable', message: 'the first factor cannot be switched off' });
  }
  if (step.onUnavailable !== undefined && step.onUnavailable !== 'fail') {
    faults.push({
      path: 'onUnavailable',
      message: 'the first factor cannot be skipped or set up on the way',
    });
  }
  return faults;
}
