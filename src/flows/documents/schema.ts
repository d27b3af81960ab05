import { durationPattern, parseDuration } from '../../lib/duration.ts';
import { type TSchema, Type } from '../../lib/schema.ts';
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
  /** `10m`. */
  maxAge?: string;
}

/** `password`, or `sms-otp: { … }` with settings of its own. */
export type OptionDocument = string | Record<string, Record<string, unknown>>;

const id = '^[a-z0-9][a-z0-9-]{0,62}$';

/** The schema of one flow, composed from the registered methods. */
export function flowSchema(methods: Methods): TSchema {
  const step = Type.Object(
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
      maxAge: Type.Optional(
        Type.String({
          pattern: durationPattern,
          description: 'A factor of an existing session counts only when it is younger.',
        }),
      ),
    },
    { additionalProperties: false },
  );
  return Type.Object(
    {
      id: Type.String({ pattern: id }),
      name: Type.String({ minLength: 1, maxLength: 200 }),
      steps: Type.Array(step, { minItems: 1, maxItems: 20 }),
    },
    { additionalProperties: false },
  );
}

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
export const readFlow = (document: FlowDocument, versionId: string): Flow => ({
  id: document.id,
  name: document.name,
  versionId,
  steps: document.steps.map((step) => ({
    id: step.id,
    options: step.options.map(readOption),
    userMayDisable: step.userMayDisable ?? false,
    onUnavailable: step.onUnavailable ?? 'fail',
    maxAgeMs: step.maxAge === undefined ? null : parseDuration(step.maxAge),
  })),
});
