import { hash, verify } from '@node-rs/argon2';
import { type Scheme, tooMuchWork } from './scheme.ts';

/** Today's parameters: 19 MiB, two passes, one lane (RFC 9106; OWASP's first choice for argon2id). */
const TODAY = { memoryCost: 19_456, timeCost: 2, parallelism: 1, outputLen: 32 };

const MOST_KIB = 131_072;
const MOST_PASSES = 10;
const MOST_LANES = 8;
const PHC =
  /^\$argon2(id|i)\$v=(16|19)\$m=(\d{1,10}),t=(\d{1,10}),p=(\d{1,3})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/;

export const hashToday = (password: string): Promise<string> => hash(password, TODAY);

/** argon2id and argon2i as PHC strings. What is at least as strong as today's stays as it is. */
export const argon2: Scheme = (stored) => {
  if (!stored.startsWith('$argon2')) return undefined;
  const [, variant, version, m, t, p, , digest = ''] = PHC.exec(stored) ?? [];
  if (!variant) return 'is no argon2id or argon2i string ($argon2id$v=19$m=…,t=…,p=…$salt$hash)';
  const [memory, passes, lanes] = [Number(m), Number(t), Number(p)];
  if (memory > MOST_KIB) return tooMuchWork(`m=${memory}`, `${MOST_KIB} KiB`);
  if (passes > MOST_PASSES) return tooMuchWork(`t=${passes}`, `${MOST_PASSES}`);
  if (lanes > MOST_LANES) return tooMuchWork(`p=${lanes}`, `${MOST_LANES}`);
  const length = Buffer.from(digest, 'base64').length;
  return {
    verify: (password) => verify(stored, password),
    current:
      variant === 'id' &&
      version === '19' &&
      memory >= TODAY.memoryCost &&
      passes >= TODAY.timeCost &&
      length >= TODAY.outputLen,
  };
};
