import { networkFault } from '../lib/network.ts';
import type { Fault } from '../lib/problem.ts';
import { Type } from '../lib/schema.ts';

/** The member `metrics` of gateway.yaml, defaults filled in. */
export interface MetricsDocument {
  enabled: boolean;
  /** SHA-256 of the token, in hexadecimal: settings are kept in clear. */
  tokenSha256?: string;
  allowFrom: string[];
}

/** The member `metrics` of gateway.yaml. A change holds within a second. */
export const metricsSection = {
  kind: 'setting' as const,
  member: 'metrics',
  schema: Type.Partial(
    Type.Object({
      enabled: Type.Boolean({ default: false, description: 'Answers /metrics in the format of Prometheus.' }),
      tokenSha256: Type.String({
        pattern: '^[0-9a-f]{64}$',
        description:
          'SHA-256 of a long random token, in hexadecimal; it is then demanded as `Authorization: Bearer`.',
      }),
      allowFrom: Type.Array(Type.String(), {
        default: [],
        description: 'Addresses or networks that may ask. Empty: any that shows the token.',
      }),
    }),
    { additionalProperties: false },
  ),
  check(value: unknown): Fault[] {
    const { enabled, tokenSha256, allowFrom } = value as MetricsDocument;
    const faults = allowFrom.flatMap((network, index) => {
      const message = networkFault(network);
      return message === null ? [] : [{ path: `allowFrom[${index}]`, message }];
    });
    if (enabled && tokenSha256 === undefined && allowFrom.length === 0) {
      faults.push({ path: 'enabled', message: 'needs tokenSha256 or allowFrom: anyone could read them' });
    }
    return faults;
  },
};
