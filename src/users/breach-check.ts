import { createHash } from 'node:crypto';
import type { PasswordsDocument } from './settings.ts';

/**
 * Whether a password stands in lists of stolen ones. Never throws.
 * @param rules Default: the setting in force.
 */
export type BreachCheck = (password: string, rules?: PasswordsDocument) => Promise<boolean>;

export interface BreachCheckDeps {
  /** A request that leaves the machine, within bounds of time and size. Throws when there is no whole answer. */
  get(url: URL, headers: Record<string, string>): Promise<{ status: number; body: string }>;
  /** The setting `passwords` in force. */
  rules(): PasswordsDocument;
  log: { warn(details: object, message: string): void };
}

/** What is sent of a hash: so little that hundreds of stolen passwords share it, and any number of others. */
const prefixLength = 5;
const line = /^([0-9A-F]{35}):(\d+)$/iu;

/**
 * Looks passwords up by k-anonymity, in the form of Pwned Passwords' range API: the list answers every hash that begins
 * with the prefix, and the comparison happens here.
 *
 * A list that cannot be asked lets the password pass: otherwise a stranger's outage would keep people from changing
 * a password that they know to be stolen, and the check is one of several (length, common ones, throttling).
 */
export function createBreachCheck({ get, rules, log }: BreachCheckDeps): BreachCheck {
  return async (password, { breachCheck } = rules()) => {
    if (!breachCheck.enabled) return false;
    const hash = createHash('sha1').update(password.normalize('NFC')).digest('hex').toUpperCase();
    try {
      const url = new URL(breachCheck.url + hash.slice(0, prefixLength));
      // Padding hides from who sees the encrypted traffic how long the answer is, and so which prefix was asked for.
      const { status, body } = await get(url, { 'add-padding': 'true' });
      if (status !== 200) throw new Error(`answered with status ${status}`);
      return (countsOf(body).get(hash.slice(prefixLength)) ?? 0) > 0;
    } catch (err) {
      // The full URL would put a part of the password's hash into the log.
      log.warn({ err, url: breachCheck.url }, 'a password was accepted without the lists of stolen ones');
      return false;
    }
  };
}

/** How often each hash was seen, by what follows the prefix. Lines of padding say 0. */
function countsOf(body: string): Map<string, number> {
  return new Map(
    body
      .trim()
      .split(/\r?\n/u)
      .map((written) => {
        const [, suffix, count] = line.exec(written.trim()) ?? [];
        if (suffix === undefined) throw new Error('answered with something else than a list of hashes');
        return [suffix.toUpperCase(), Number(count)];
      }),
  );
}
