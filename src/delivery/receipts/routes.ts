import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Problem } from '../../lib/problem.ts';
import type { Call } from './contract.ts';
import type { Heard, Receipts, Taken } from './service.ts';

export interface ReceiptRoutesDeps {
  receipts: Receipts;
  issuer: URL;
}

/** A report is some hundred characters; some gateways gather those of a minute. */
const BODY_LIMIT_BYTES = 128 * 1024;

/** The bytes as they came: signatures are over them. */
interface Raw {
  bytes: Buffer;
}

type Members = Record<string, string>;
type ProviderRequest = FastifyRequest<{ Params: { provider: string } }>;

/**
 * `/receipts/:provider` and `/inbound/:provider`, for gateways. A receipt may come by GET from gateways that know nothing
 * else: what it writes is signed, and the same when it comes again.
 */
export async function receiptRoutes(scope: FastifyInstance, { receipts, issuer }: ReceiptRoutesDeps) {
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser(
    '*',
    { parseAs: 'buffer', bodyLimit: BODY_LIMIT_BYTES },
    (_request, bytes, done) => done(null, { bytes } satisfies { bytes: Buffer | string }),
  );
  const answer = async (
    request: FastifyRequest,
    reply: FastifyReply,
    work: (providerId: string, call: Call) => Promise<Heard>,
  ) => {
    const { provider } = (request as ProviderRequest).params;
    const { answer: words, taken } = await work(provider, callOf(request, issuer));
    refuse(taken);
    // Else without a word: what stands in an answer to a reply, some gateways send on to the phone.
    return reply
      .code(200)
      .header('cache-control', 'no-store')
      .send(words ?? undefined);
  };
  const report = (request: FastifyRequest, reply: FastifyReply) => answer(request, reply, receipts.report);
  scope.get('/receipts/:provider', report);
  scope.post('/receipts/:provider', report);
  scope.post('/inbound/:provider', (request, reply) => answer(request, reply, receipts.reply));
}

function refuse(taken: Taken): void {
  if (taken === 'forged') {
    const message = 'The call is not signed by the provider.';
    throw new Problem({ status: 403, code: 'not_signed', message });
  }
  if (taken === 'unknown-provider') {
    throw new Problem({ status: 404, code: 'not_found', message: 'There is nothing here.' });
  }
}

/** The address begins with the issuer, whatever the proxies in between have called it. */
function callOf(request: FastifyRequest, issuer: URL): Call {
  const bytes = (request.body as Raw | null | undefined)?.bytes ?? Buffer.alloc(0);
  const type = request.headers['content-type'] ?? '';
  return {
    method: request.method === 'GET' ? 'GET' : 'POST',
    url: `${issuer.origin}${request.originalUrl}`,
    query: membersOf(new URL(request.originalUrl, issuer).searchParams),
    headers: Object.fromEntries(
      Object.entries(request.headers).map(([name, value]) => [name, String(value ?? '')]),
    ),
    body: bytes,
    content: contentOf(bytes.toString('utf8'), type),
  };
}

function contentOf(text: string, type: string): unknown {
  if (text === '') return {};
  if (!/^application\/([\w.-]+\+)?json\b/i.test(type)) return membersOf(new URLSearchParams(text));
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}

const membersOf = (params: URLSearchParams): Members => Object.fromEntries(params);
