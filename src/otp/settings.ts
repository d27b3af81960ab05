import type { SettingSection } from '../config/types.ts';
import { durationFault, durationPattern, parseDuration } from '../lib/duration.ts';
import type { Fault } from '../lib/problem.ts';
import { Type } from '../lib/schema.ts';
import type { OtpSettings } from './types.ts';

/** The member `otp` of gateway.yaml as it is written, defaults filled in. */
export interface OtpDocument {
  length: number;
  alphabet: OtpSettings['alphabet'];
  /** `5m`. */
  expires: string;
  attempts: number;
  /** `30s`. */
  resendAfter: string;
  resends: number;
}

/** What a step of a flow says itself. */
export type OtpOverrides = Partial<OtpDocument>;

export const otpDefaults: OtpDocument = {
  length: 6,
  alphabet: 'numeric',
  expires: '5m',
  attempts: 5,
  resendAfter: '30s',
  resends: 5,
};

/** The schema's members, none required and none with a default: for the options of a method. */
export const otpMembers = {
  length: Type.Integer({ minimum: 4, maximum: 10, description: 'Characters of a code.' }),
  alphabet: Type.Enum(['numeric', 'alphanumeric'], {
    description: 'Digits, or letters and digits without look-alikes.',
  }),
  expires: Type.String({ pattern: durationPattern, description: 'How long a code is valid: 30s to 10m.' }),
  attempts: Type.Integer({ minimum: 1, maximum: 5, description: 'Tries per code.' }),
  resendAfter: Type.String({
    pattern: durationPattern,
    description: 'Time between two messages of one sign-in: 0s to 10m.',
  }),
  resends: Type.Integer({
    minimum: 0,
    maximum: 20,
    description: 'Messages of one sign-in beyond the first.',
  }),
};

/** The member `otp` of gateway.yaml. */
export const otpSection: SettingSection = {
  kind: 'setting',
  member: 'otp',
  schema: Type.Partial(
    Type.Object({
      length: { ...otpMembers.length, default: otpDefaults.length },
      alphabet: { ...otpMembers.alphabet, default: otpDefaults.alphabet },
      expires: { ...otpMembers.expires, default: otpDefaults.expires },
      attempts: { ...otpMembers.attempts, default: otpDefaults.attempts },
      resendAfter: { ...otpMembers.resendAfter, default: otpDefaults.resendAfter },
      resends: { ...otpMembers.resends, default: otpDefaults.resends },
    }),
    { additionalProperties: false },
  ),
  check: (value) => otpFaults(value as OtpOverrides),
};

/** What the schema cannot say of a valid document: whether its durations are sensible. Paths name the member. */
export function otpFaults(value: OtpOverrides): Fault[] {
  return [
    value.expires === undefined ? null : durationFault('expires', value.expires, '30s', '10m'),
    value.resendAfter === undefined ? null : durationFault('resendAfter', value.resendAfter, '0s', '10m'),
  ].filter((fault) => fault !== null);
}

/** The settings of one step: what it says itself, over the instance-wide defaults. */
export function otpSettings(defaults: OtpDocument, overrides: OtpOverrides = {}): OtpSettings {
  const { expires, resendAfter, ...rest } = { ...defaults, ...overrides };
  return { ...rest, expiresMs: parseDuration(expires), resendAfterMs: parseDuration(resendAfter) };
}
