import { verify } from '@node-rs/bcrypt';
import { type Scheme, tooMuchWork } from './scheme.ts';

const MOST_COST = 14;

/**
 * bcrypt (`$2a$`, `$2b$`, `$2y$`). It looks at the first 72 bytes of a password only, so a longer one that differs
 * behind them passes too, as it did where the hash comes from.
 */
export const bcrypt: Scheme = (stored) => {
  if (!/^\$2[a-z]?\$/.test(stored)) return undefined;
  const [, digits] = /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/.exec(stored) ?? [];
  const cost = Number(digits);
  if (!digits || cost < 4) return 'is no bcrypt string ($2b$, two digits of cost, 53 characters)';
  if (cost > MOST_COST) return tooMuchWork(`cost ${cost}`, `${MOST_COST}`);
  return { verify: (password) => verify(password, stored), significantBytes: 72 };
};
