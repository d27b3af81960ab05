import { text } from '../../lib/texts.ts';
import type { Field, Step } from '../types.ts';

const dayMs = 24 * 60 * 60_000;
const hourMs = 60 * 60_000;

/** The box beside a code by which a browser goes without this step from now on. Never ticked beforehand. */
export function rememberField(
  step: Step | undefined,
  fields: readonly Field[],
  ticked: string | undefined,
): Field[] {
  const asks = fields.some(({ name }) => name === 'code' || name === 'password');
  if (step?.rememberMs == null || !asks) return [];
  const { rememberMs } = step;
  const label =
    rememberMs % dayMs === 0
      ? text('flows.remember', { count: rememberMs / dayMs })
      : text('flows.rememberHours', { count: Math.floor(rememberMs / hourMs) });
  const value = ticked === 'on' ? 'on' : '';
  return [{ name: 'remember', type: 'checkbox', label, autocomplete: 'off', value, required: false }];
}
