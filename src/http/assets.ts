import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance } from 'fastify';

const PREFIX = '/assets/';

export interface Assets {
  /** The address of a file, with the hash of its content. Throws when there is no such file. */
  url(file: string): string;
  register(app: FastifyInstance): Promise<void>;
}

/**
 * Files below `folder` at `/assets/`. Only an answer whose address carries the hash of what we hold may be kept
 * for ever: while versions of the gateway run side by side, an address of one may be asked of the other.
 */
export function createAssets(folder: string): Assets {
  const hashes = new Map(
    readdirSync(folder).map((file) => {
      const hash = createHash('sha256')
        .update(readFileSync(join(folder, file)))
        .digest('base64url');
      return [file, hash.slice(0, 12)];
    }),
  );
  return {
    url(file) {
      const hash = hashes.get(file);
      if (hash === undefined) throw new Error(`views/assets has no file "${file}"`);
      return `${PREFIX}${file}?v=${hash}`;
    },
    async register(app) {
      await app.register(async (scope) => {
        scope.addHook<{ Querystring: { v?: string } }>('onRequest', async (request, reply) => {
          const file = request.url.slice(PREFIX.length).split('?')[0] ?? '';
          const exact = hashes.get(file) === request.query.v;
          reply.header('cache-control', exact ? 'public, max-age=31536000, immutable' : 'no-cache');
        });
        await scope.register(fastifyStatic, {
          root: folder,
          prefix: PREFIX,
          cacheControl: false,
        });
      });
    },
  };
}
