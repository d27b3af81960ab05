import { durationPattern, parseDuration } from '../../lib/duration.ts';
import { type TSchema, Type } from '../../lib/schema.ts';
import { createCondition, longestCondition } from '../conditions/condition.ts';
import type { Methods } from '../method.ts';
import type { Flow, Option } from '../types.ts';

/** A flow as it is written in `flows.yaml`. */
export interface FlowDocument {
  id: string;
  name: string;
  steps: StepDocument[];
}

export interface StepDocument {
  id: string;
  options: OptionDocument[];
  userMayDisable?: boolean;
  onUnavailable?: 'enrol' | 'skip' | 'fail';
  /** A condition in CEL. */
  when?: string;
  /** `30d`. */
  remember?: string;
  /** `14d`. */
  grace?: string;
  /** `10m`. */
  maxAge?: string;
}

/** `password`, or `sms-otp: { … }` with settings of its own. */
export type OptionDocument = string | Record<string, Record<string, unknown>>;

const id = '^[a-z0-9][a-z0-9-]{0,62}$';

/** The schema of one flow, composed from the registered methods. */
export const flowSchema = (methods: Methods): TSchema =>
  Type.Object(
    {
      id: Type.String({ pattern: id }),
      name: Type.String({ minLength: 1, maxLength: 200 }),
      steps: Type.Array(stepSchema(methods), { minItems: 1, maxItems: 20 }),
    },
    { additionalProperties: false },
  );

const stepSchema = (methods: Methods) =>
  Type.Object(
    {
      id: Type.String({ pattern: id, description: 'Names the step in records; unique within the flow.' }),
      options: Type.Array(optionSchema(methods), {
        minItems: 1,
        description: 'The methods among which the user passes one.',
      }),
      userMayDisable: Type.Optional(
        Type.Boolean({
          default: false,
          description: 'Whether users may switch the message code off for themselves.',
        }),
      ),
      onUnavailable: Type.Optional(
        Type.Enum(['enrol', 'skip', 'fail'], {
          default: 'fail',
          description:
            'What happens to a user who has none of the options: set one up, go on without, or stop.',
        }),
      ),
      grace: Type.Optional(
        Type.String({
          pattern: durationPattern,
          description:
            'With `onUnavailable: enrol`: how long after being asked for the first time users may go on without: 1h to 365d. Default: not at all.',
        }),
      ),
      when: Type.Optional(
        Type.String({
          minLength: 1,
          maxLength: longestCondition,
          description:
            'A condition in CEL: the step is asked only where it is true, or cannot be told. Default: always.',
        }),
      ),
      remember: Type.Optional(
        Type.String({
          pattern: durationPattern,
          description:
            'People may tick a box so that this browser is not asked for this step again: for 1h to 365d from when it was passed. Default: no such box.',
        }),
      ),
      maxAge: Type.Optional(
        Type.String({
          pattern: durationPattern,
          description: 'A factor of an existing session counts only when it is younger.',
        }),
      ),
    },
    { additionalProperties: false },
  );

/** The name of a method, or one member of that name with its settings: `if`, so that a fault names the branch meant. */
function optionSchema(methods: Methods): TSchema {
  const properties = Object.fromEntries([...methods.values()].map((method) => [method.id, method.options]));
  return Type.Unsafe({
    if: { type: 'object' },
    // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
    then: { type: 'object', properties, additionalProperties: false, minProperties: 1, maxProperties: 1 },
    else: { enum: [...methods.keys()] },
  });
}

export function readOption(option: OptionDocument): Option {
  if (typeof option === 'string') return { method: option, settings: {} };
  const [method = '', settings = {}] = Object.entries(option)[0] ?? [];
  return { method, settings };
}

/** A valid document as the engine reads it, defaults filled in. */
export const readFlow = (document: FlowDocument, versionId: string, version = 0): Flow => ({
  id: document.id,
  name: document.name,
  versionId,
  version,
  steps: document.steps.map((step) => ({
    id: step.id,
    options: step.options.map(readOption),
    userMayDisable: step.userMayDisable ?? false,
    onUnavailable: step.onUnavailable ?? 'fail',
    when: step.when === undefined ? null : createCondition(step.when),
    rememberMs: step.remember === undefined ? null : parseDuration(step.remember),
    graceMs: step.grace === undefined ? null : parseDuration(step.grace),
    maxAgeMs: step.maxAge === undefined ? null : parseDuration(step.maxAge),
  })),
});
