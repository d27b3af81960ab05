import type { FastifyInstance } from 'fastify';
import { text } from '../lib/texts.ts';
import type { Http } from './types.ts';

/** `/`: for people who arrive here by hand. */
export function homeRoute(app: FastifyInstance, http: Http, hasAccount: () => boolean): void {
  app.get('/', (request, reply) =>
    http.page(request, reply, {
      ...{ view: 'home', title: text('home.title'), data: { account: hasAccount() } },
    }),
  );
}
