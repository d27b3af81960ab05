import type { FastifyRequest } from 'fastify';
import t from 'tap';
import { openTestHttp } from '../helpers/http.ts';

t.test('the country is believed of trusted proxies only', async (t) => {
  for (const [trustedProxies, header, headers, country] of [
    [['127.0.0.1/32'], 'CF-IPCountry', { 'cf-ipcountry': 'DE' }, 'DE'],
    [['127.0.0.0/8'], 'X-Country', { 'x-country': 'fr' }, 'FR'],
    [['127.0.0.1/32'], 'X-Country', { 'cf-ipcountry': 'DE' }, null],
    [['127.0.0.1/32'], null, { 'cf-ipcountry': 'DE' }, null],
    [['10.0.0.0/8'], 'CF-IPCountry', { 'cf-ipcountry': 'DE' }, null],
    [[], 'CF-IPCountry', { 'cf-ipcountry': 'DE' }, null],
    [['127.0.0.1/32'], 'CF-IPCountry', { 'cf-ipcountry': 'XX' }, null],
    [['127.0.0.1/32'], 'CF-IPCountry', { 'cf-ipcountry': 'T1' }, null],
    [['127.0.0.1/32'], 'CF-IPCountry', { 'cf-ipcountry': 'DE, FR' }, null],
    [['127.0.0.1/32'], 'CF-IPCountry', {}, null],
  ] as [string[], string | null, Record<string, string>, string | null][]) {
    const { app, http } = await openTestHttp({ trustedProxies, countryHeader: () => header });
    app.get('/there', async (request: FastifyRequest) => ({ country: http.country(request) }));
    const answer = await app.inject({ url: '/there', headers });
    await app.close();
    t.strictSame(answer.json(), { country }, JSON.stringify({ trustedProxies, header, headers }));
  }
});
