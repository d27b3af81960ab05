import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Crypto } from '../../crypto/types.ts';
import type { Http } from '../../http/types.ts';
import type { Clock } from '../../lib/clock.ts';
import { text } from '../../lib/texts.ts';
import type { Db } from '../../storage/types.ts';
import { conversation } from './conversation.ts';
import { requireLocal } from './local.ts';
import { listSimulated } from './store.ts';

export interface SimulatorDeps {
  http: Http;
  db: Db;
  crypto: Crypto;
  clock: Clock;
  issuer: URL;
  /** Whether a simulator provider is in force at this moment. */
  configured(): boolean;
}

interface Query {
  to?: string;
  channel?: string;
}

const querystring = {
  type: 'object',
  properties: { to: { type: 'string', maxLength: 320 }, channel: { type: 'string', maxLength: 10 } },
};

/** A plus that was not escaped in a query reads as a blank. */
const destinationOf = (to: string | undefined): string | null =>
  to === undefined || to === '' ? null : to.trim().replace(/^(?=[0-9]+$)/, '+');

/** The phone that is no phone, and its messages as JSON for test robots. */
export function registerSimulator(app: FastifyInstance, deps: SimulatorDeps): void {
  const enter = (request: FastifyRequest, reply: FastifyReply): Date => {
    requireLocal(request, deps.issuer, deps.configured());
    reply.header('cache-control', 'no-store');
    return deps.clock.now();
  };

  app.get<{ Querystring: Query }>('/simulator', { schema: { querystring } }, async (request, reply) => {
    const now = enter(request, reply);
    const messages = await listSimulated(deps.db, deps.crypto, null, now);
    const to = destinationOf(request.query.to);
    return deps.http.page(request, reply, {
      view: 'simulator/index',
      title: text('simulator.title'),
      data: conversation(messages, { to, channel: request.query.channel }, deps.http.locale(request)),
    });
  });

  app.get<{ Querystring: Query }>(
    '/simulator/messages',
    { schema: { querystring } },
    async (request, reply) => {
      const now = enter(request, reply);
      const messages = await listSimulated(deps.db, deps.crypto, destinationOf(request.query.to), now);
      return reply.send({ messages });
    },
  );
}
