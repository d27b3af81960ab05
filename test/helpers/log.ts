import type { Logger } from '../../src/lib/log.ts';

/** Says nothing. */
export const silent: Logger = { debug() {}, info() {}, warn() {}, error() {} };

/** Keeps what was logged, for a test that looks at it. */
export function recordingLog(): Logger & { lines: { level: string; fields: object; message: string }[] } {
  const lines: { level: string; fields: object; message: string }[] = [];
  const at = (level: string) => (fields: object, message: string) =>
    void lines.push({ level, fields, message });
  return { lines, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}
