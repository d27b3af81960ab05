import type { Dispatcher } from 'undici';
import type { Audit } from '../../audit/types.ts';
import type { References } from '../../config/types.ts';
import type { Crypto } from '../../crypto/types.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/log.ts';
import type { Storage } from '../../storage/types.ts';
import type { EgressOptions } from '../network/egress.ts';

export interface DeskDeps {
  storage: Pick<Storage, 'db' | 'transaction' | 'revisions'>;
  crypto: Crypto;
  references: References;
  clock: Clock;
  log: Logger;
  audit: Audit;
  issuer: URL;
  /** Opens connections in place of `createEgress`. */
  egress?: (options: EgressOptions) => Dispatcher;
}
