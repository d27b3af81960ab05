import type { FastifyRequest } from 'fastify';
import { isWithin } from '../../lib/network.ts';

export interface CountryDeps {
  trustedProxies: string[];
  /** Name of the header in which they say it, as configured now; null: they do not. */
  header: () => string | null;
}

/**
 * Where requests come from, by the header of a proxy that knows it. Whoever connects past the proxies could write what
 * they like. `XX` is how proxies say that they do not know.
 */
export const createCountry =
  ({ trustedProxies, header }: CountryDeps) =>
  ({ headers, socket }: FastifyRequest): string | null => {
    const name = header();
    if (name === null || !isWithin(socket.remoteAddress ?? '', trustedProxies)) return null;
    const said = String(headers[name.toLowerCase()] ?? '').toUpperCase();
    return /^[A-Z]{2}$/.test(said) && said !== 'XX' ? said : null;
  };
