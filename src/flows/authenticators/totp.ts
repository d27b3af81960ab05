import { timingSafeEqual } from 'node:crypto';
import type { RandomSource } from '../../lib/ids.ts';

/*
 * Time-based one-time passwords (RFC 6238). A seed is written in base 32, as authenticator apps take it.
 */

export interface TotpParameters {
  digits: 6 | 8;
  /** Seconds that one code is shown for. */
  period: number;
  algorithm: 'SHA1' | 'SHA256' | 'SHA512';
}

/** What every authenticator app can do; some ignore what an address says beyond it. */
export const totpDefaults: TotpParameters = { digits: 6, period: 30, algorithm: 'SHA1' };

/** As long as what the algorithm makes of it (RFC 6238, section 3, R6; RFC 4226, section 4, R6). */
const seedBytes = { SHA1: 20, SHA256: 32, SHA512: 64 };

/** Loaded when somebody has such an app, not at the start. */
const library = () => import('otpauth');

export async function newSeed(algorithm: TotpParameters['algorithm'], random: RandomSource): Promise<string> {
  const { Secret } = await library();
  return new Secret({ buffer: new Uint8Array(random(seedBytes[algorithm])).buffer }).base32;
}

export type TotpMatch =
  /** Of the time step `step`. */
  | { is: 'right'; step: number }
  /** Right, of a step that was used before. */
  | { is: 'used' }
  | { is: 'wrong' };

/**
 * Looks for the time step whose code was typed, at most `window` steps before or after the present one.
 *
 * @param used the last step that was used; codes of it and of earlier ones are not taken again (RFC 6238, section 5.2).
 */
export async function matchTotp(
  seed: string,
  { algorithm, digits, period }: TotpParameters,
  typed: string,
  { now, used, window }: { now: Date; used: number | null; window: number },
): Promise<TotpMatch> {
  const { HOTP, Secret } = await library();
  const secret = Secret.fromBase32(seed);
  const code = Buffer.from(withoutSeparators(typed));
  const present = Math.floor(now.getTime() / 1000 / period);
  const matching: number[] = [];
  // All of them, wherever one fits: the time that it takes says nothing.
  for (let step = Math.max(0, present - window); step <= present + window; step++) {
    const right = Buffer.from(HOTP.generate({ secret, algorithm, digits, counter: step }));
    if (code.length === right.length && timingSafeEqual(code, right)) matching.push(step);
  }
  const step = matching.find((one) => used === null || one > used);
  if (step !== undefined) return { is: 'right', step };
  return { is: matching.length > 0 ? 'used' : 'wrong' };
}

/** People type “123 456”, and some keyboards write digits of full width. */
const withoutSeparators = (typed: string): string =>
  typed.normalize('NFKC').replace(/[\s\p{Pd}\p{Cf}]/gu, '');

/**
 * The address that an app takes the seed from, out of a picture or a link (Google Authenticator, “Key Uri Format”). A
 * colon separates issuer and account in it, so neither may have one.
 */
export async function totpAddress(
  seed: string,
  parameters: TotpParameters,
  { issuer, account }: { issuer: string; account: string },
): Promise<string> {
  const { TOTP } = await library();
  const plain = (name: string) => name.replaceAll(':', ' ').trim();
  return new TOTP({
    ...{ ...parameters, secret: seed, issuer: plain(issuer), label: plain(account) },
  }).toString();
}

/** For people who type it: in groups of four. */
export const seedForTyping = (seed: string): string => seed.match(/.{1,4}/g)?.join(' ') ?? '';
