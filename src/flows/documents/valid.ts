import { createValidator } from '../../config/index.ts';
import type { Loaded } from '../../config/types.ts';
import { methods } from '../methods/index.ts';
import { type FlowDocument, flowSchema } from './schema.ts';

const validate = createValidator(flowSchema(methods));

/** Null for a document with faults, which are told at its own place. */
export function validDocument({ resolved, raw }: Loaded): FlowDocument | null {
  const { value, faults } = validate(resolved, raw);
  return faults.length > 0 ? null : (value as FlowDocument);
}
