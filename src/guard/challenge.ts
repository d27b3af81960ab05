import { createHash } from 'node:crypto';
import { parseDuration } from '../lib/duration.ts';
import type { RandomSource } from '../lib/ids.ts';
import { Type } from '../lib/schema.ts';

/** The member `guard.challenge` of gateway.yaml, defaults filled in. */
export interface ChallengeDocument {
  kind: 'proof-of-work' | CaptchaKind;
  siteKey: string;
  secret: string;
  wait: string;
}

export type CaptchaKind = 'turnstile' | 'hcaptcha' | 'recaptcha';

/** Where a captcha comes from, by its vendor's document. */
interface Captcha {
  script: string;
  /** The class of the element that its script fills. */
  widget: string;
  /** The field that its script adds to the form. */
  field: string;
  verify: string;
  /** Directives that its page needs beside our own. */
  policy: Record<'script-src' | 'frame-src' | 'style-src' | 'connect-src', string[]>;
}

const cloudflare = 'https://challenges.cloudflare.com';
const hcaptcha = ['https://hcaptcha.com', 'https://*.hcaptcha.com'];

export const captchas: Record<CaptchaKind, Captcha> = {
  // https://developers.cloudflare.com/turnstile/get-started/ and …/reference/content-security-policy/
  turnstile: {
    script: `${cloudflare}/turnstile/v0/api.js`,
    widget: 'cf-turnstile',
    field: 'cf-turnstile-response',
    verify: `${cloudflare}/turnstile/v0/siteverify`,
    policy: { 'script-src': [cloudflare], 'frame-src': [cloudflare], 'style-src': [], 'connect-src': [] },
  },
  // https://docs.hcaptcha.com/
  hcaptcha: {
    script: 'https://js.hcaptcha.com/1/api.js',
    widget: 'h-captcha',
    field: 'h-captcha-response',
    verify: 'https://api.hcaptcha.com/siteverify',
    policy: { 'script-src': hcaptcha, 'frame-src': hcaptcha, 'style-src': hcaptcha, 'connect-src': hcaptcha },
  },
  // https://developers.google.com/recaptcha/docs/display, …/verify and …/faq (content security policy)
  recaptcha: {
    script: 'https://www.google.com/recaptcha/api.js',
    widget: 'g-recaptcha',
    field: 'g-recaptcha-response',
    verify: 'https://www.google.com/recaptcha/api/siteverify',
    policy: {
      'script-src': ['https://www.google.com/recaptcha/', 'https://www.gstatic.com/recaptcha/'],
      'frame-src': ['https://www.google.com/recaptcha/', 'https://recaptcha.google.com/recaptcha/'],
      'style-src': [],
      'connect-src': ['https://www.google.com/recaptcha/'],
    },
  },
};

/** What one browser has to do for one message. Kept with its login, so that it is good for nothing else, and once. */
export type Task = {
  /** Milliseconds since the epoch. */
  expiresAt: number;
  /** From then on it is enough to have waited. */
  waitUntil: number;
} & ({ kind: 'proof-of-work'; salt: string; bits: number } | { kind: CaptchaKind; siteKey: string });

export const challengeSchema = Type.Partial(
  Type.Object({
    kind: Type.Enum(['proof-of-work', 'turnstile', 'hcaptcha', 'recaptcha'], {
      default: 'proof-of-work',
      description: 'proof-of-work needs nobody else; the others show the captcha of that vendor.',
    }),
    siteKey: Type.String({ default: '', maxLength: 200, description: 'The captcha’s public key.' }),
    secret: Type.String({
      default: '',
      maxLength: 500,
      // biome-ignore lint/suspicious/noTemplateCurlyInString: references are written like this
      description: 'The captcha’s secret key, best as ${env:NAME}.',
    }),
    wait: Type.String({
      default: '1m',
      pattern: '^[1-9][0-9]{0,3}[sm]$',
      description:
        'Who cannot pass it, without JavaScript for instance, may go on after this long, some times an hour for each network.',
    }),
  }),
  { additionalProperties: false, default: {} },
);

/** Work for a browser: some tenths of a second on a desktop computer, a second or two on an old phone. */
const LEAST_BITS = 16;
/** Twice the work for each so many messages from the same place that nobody has used. */
const PRESSURE_PER_BIT = 4;
const MOST_EXTRA_BITS = 5;
const TASK_MS = 10 * 60_000;

export interface ChallengeDeps {
  random: RandomSource;
  rules(): ChallengeDocument;
  /** Posts a form to a captcha's vendor, by the checked way out; the body of a 200. */
  ask(url: URL, form: URLSearchParams): Promise<string>;
}

export interface Challenges {
  /** `pressure`: unused messages from the same place lately. */
  newTask(pressure: number, now: Date): Task;
  /** How the task was passed. `proof`: what the page sent. Null: it was not. */
  passes(task: Task, proof: string, ip: string, now: Date): Promise<'proof' | 'waited' | null>;
}

export function createChallenges({ ask, random, rules }: ChallengeDeps): Challenges {
  return {
    newTask(pressure, now) {
      const { kind, siteKey, wait } = rules();
      const at = now.getTime();
      const times = { expiresAt: at + TASK_MS, waitUntil: at + parseDuration(wait) };
      if (kind !== 'proof-of-work') return { ...times, kind, siteKey };
      const extra = Math.min(MOST_EXTRA_BITS, Math.floor(pressure / PRESSURE_PER_BIT));
      return { ...times, kind, salt: random(16).toString('base64url'), bits: LEAST_BITS + extra };
    },

    async passes(task, proof, ip, now) {
      const at = now.getTime();
      if (at > task.expiresAt) return null;
      if (proof !== '' && (await isProved(task, proof, ip))) return 'proof';
      return at >= task.waitUntil ? 'waited' : null;
    },
  };

  async function isProved(task: Task, proof: string, ip: string): Promise<boolean> {
    if (task.kind === 'proof-of-work') return isSolved(task, proof);
    const { kind, secret } = rules();
    if (kind !== task.kind) return false;
    try {
      const form = new URLSearchParams({ secret, response: proof, remoteip: ip });
      const answer: unknown = JSON.parse(await ask(new URL(captchas[kind].verify), form));
      return (answer as { success?: unknown } | null)?.success === true;
    } catch {
      // Not reached or not understood: then it was not passed, and the wait is the way on.
      return false;
    }
  }
}

/** Whether SHA-256 of `salt:nonce` begins with so many zero bits. */
export function isSolved({ bits, salt }: { bits: number; salt: string }, nonce: string): boolean {
  if (!/^\d{1,12}$/.test(nonce)) return false;
  const digest = createHash('sha256').update(`${salt}:${nonce}`).digest();
  return Math.clz32(digest.readUInt32BE(0)) >= bits;
}
