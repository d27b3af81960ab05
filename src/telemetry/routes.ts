import { createHash } from 'node:crypto';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { isWithin } from '../lib/network.ts';
import { Problem } from '../lib/problem.ts';
import { secretsMatch } from '../lib/secrets.ts';
import type { Metrics } from './metrics.ts';
import type { MetricsDocument } from './settings.ts';

/** Mounts `GET /metrics`. `settings` answers what is in force now. */
export function metricsRoute(
  app: FastifyInstance,
  { metrics, settings }: { metrics: Metrics; settings: () => MetricsDocument },
): void {
  app.get('/metrics', async (request, reply) => {
    demandAccess(request, settings());
    const { text, contentType } = await metrics.text();
    return reply.header('cache-control', 'no-store').type(contentType).send(text);
  });
}

/** Throws Problem 404 while metrics are off, 403 for a stranger's address, 401 without the token. */
function demandAccess(request: FastifyRequest, { enabled, allowFrom, tokenSha256 }: MetricsDocument): void {
  if (!enabled) {
    throw new Problem({ status: 404, code: 'not_found', message: 'There is nothing at this address.' });
  }
  if (allowFrom.length > 0 && !isWithin(request.ip, allowFrom)) {
    throw new Problem({ status: 403, code: 'forbidden', message: 'Metrics are not for this address.' });
  }
  if (tokenSha256 === undefined) return;
  const shown = /^Bearer (\S+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? '';
  if (!secretsMatch(tokenSha256, createHash('sha256').update(shown).digest('hex'))) {
    throw new Problem({ status: 401, code: 'unauthorized', message: 'Metrics need their token.' });
  }
}
