/** Serves one sample of every page, as people would meet it. */
import { widenPolicy } from '../../src/flows/pages/challenge-screen.ts';
import type { Screen } from '../../src/flows/types.ts';
import { openTestHttp } from '../helpers/http.ts';
import { allTexts } from '../helpers/texts.ts';
import { samples } from './samples.ts';

export interface SampleServer {
  address(name: string, locale?: string): string;
  /** What the last form held. */
  posted(): Record<string, string>;
  close(): Promise<void>;
}

export async function serveSamples(): Promise<SampleServer> {
  const texts = await allTexts();
  const { app, http } = await openTestHttp({ texts, helpContact: () => 'help@example.test' });
  app.get<{ Params: { name: string }; Querystring: { locale?: string } }>(
    '/sample/:name',
    (request, reply) => {
      const sample = samples[request.params.name];
      if (!sample) throw new Error('there is no such sample');
      const { locale } = request.query;
      const { challenge } = (sample.data as { screen?: Screen }).screen ?? {};
      if (challenge) widenPolicy(reply, challenge);
      return http.page(request, reply, { ...sample, ...(locale ? { locale } : {}) });
    },
  );
  let posted: Record<string, string> = {};
  app.post('/posted', async (request, reply) => {
    posted = request.body as Record<string, string>;
    return reply.type('text/html').send('<title>Posted</title>');
  });
  const url = await app.listen({ port: 0 });
  return {
    address: (name, locale = 'en') => `${url}/sample/${name}?locale=${locale}`,
    posted: () => posted,
    async close() {
      await app.close();
    },
  };
}
