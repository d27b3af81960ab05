import type { FastifyRequest } from 'fastify';
import type { Http } from '../http/types.ts';
import type { Browser } from './types.ts';

/** Known browsers have password tries of their own; see guard. */
export const deviceCookie = 'sp-device';
/** Browsers that may go without a step; see sessions. */
export const rememberedCookie = 'sp-remembered';

export const browserOf = (
  { cookies, country }: Pick<Http, 'cookies' | 'country'>,
  request: FastifyRequest,
): Browser => ({
  ip: request.ip,
  userAgent: request.headers['user-agent'] ?? null,
  country: country(request),
  deviceCookie: cookies.get(request, deviceCookie, 'host'),
  rememberedCookie: cookies.get(request, rememberedCookie, 'host'),
});
