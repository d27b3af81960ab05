import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { createCrypto } from '../../src/crypto/index.ts';
import { createHttp, type HttpDeps } from '../../src/http/index.ts';
import { silent } from './log.ts';

export const viewsDir = join(import.meta.dirname, '../../views');

/** The web server alone, with no feature on it. Close `app` in the teardown. */
export function openTestHttp(overrides: Partial<HttpDeps> = {}): ReturnType<typeof createHttp> {
  return createHttp({
    issuer: new URL('http://localhost:3000'),
    crypto: createCrypto([{ id: 'k1', bytes: randomBytes(32) }]),
    log: silent,
    texts: {},
    trustedProxies: [],
    name: () => 'Sallyport',
    viewsDir,
    isUnavailable: () => false,
    ...overrides,
  });
}
