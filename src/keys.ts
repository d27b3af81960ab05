import type { Audit } from './audit/types.ts';
import type { SettingSection, Settings } from './config/types.ts';
import { createKeyRotation, type KeyRotationDeps } from './crypto/index.ts';
import type { KeyRotation } from './crypto/types.ts';
import { durationFault, durationPattern, parseDuration } from './lib/duration.ts';
import { Type } from './lib/schema.ts';
import { longestTokenMs } from './oidc/index.ts';
import type { SessionsDocument } from './sessions/index.ts';

/** The member `keys` of gateway.yaml, defaults filled in. */
interface KeysDocument {
  /** `90d`: how long a key signs. */
  rotateEvery: string;
  /** `1d`: how long a key is published before it signs. */
  publishAhead: string;
}

/** The member `keys` of gateway.yaml: when the keys that sign tokens are replaced. */
export const keysSection: SettingSection = {
  kind: 'setting',
  member: 'keys',
  schema: Type.Partial(
    Type.Object({
      rotateEvery: Type.String({
        pattern: durationPattern,
        default: '90d',
        description:
          'How long a key signs tokens: 1h to 730d. Its successor is published all the while; a longer time holds from the next rotation on.',
      }),
      publishAhead: Type.String({
        pattern: durationPattern,
        default: '1d',
        description:
          'How long a key is published before it signs, at the least, so that applications that keep the keys know it: 10s to 30d.',
      }),
    }),
    { additionalProperties: false },
  ),
  check(value) {
    const { rotateEvery, publishAhead } = value as KeysDocument;
    const longer =
      parseDuration(publishAhead) <= parseDuration(rotateEvery)
        ? null
        : { path: 'publishAhead', message: `must not be longer than rotateEvery (${rotateEvery})` };
    return [
      durationFault('rotateEvery', rotateEvery, '1h', '730d'),
      durationFault('publishAhead', publishAhead, '10s', '30d'),
      longer,
    ].filter((fault) => fault !== null);
  },
};

/** How long any session may last. */
export const sessionLifeMs = (settings: Settings): number =>
  parseDuration(settings.get<SessionsDocument>('sessions').absolute);

/** The signing keys under the settings in force; a rotation that somebody asks for is on record. */
export function createKeys({
  settings,
  audit,
  ...parts
}: Pick<KeyRotationDeps, 'crypto' | 'clock' | 'storage'> & {
  settings: Settings;
  audit: Audit;
}): KeyRotation {
  return createKeyRotation({
    ...parts,
    policy() {
      const { rotateEvery, publishAhead } = settings.get<KeysDocument>('keys');
      return {
        rotateEveryMs: parseDuration(rotateEvery),
        publishAheadMs: parseDuration(publishAhead),
        // An app shows an ID token once more when its user leaves, as long as the session lasts.
        keepMs: sessionLifeMs(settings) + longestTokenMs,
      };
    },
    onRotated: (tx, how, now) => audit.record(tx, now, [{ name: 'keys.rotated', reason: how }]),
  });
}
