import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Fault } from '../lib/problem.ts';
import { Problem } from '../lib/problem.ts';
import { type Catalogue, type Text, text } from '../lib/texts.ts';
import type { ErrorView, Http } from './types.ts';

const UNAVAILABLE_RETRY_SECONDS = 5;

export interface ErrorDeps {
  http: Pick<Http, 'page'>;
  english: Catalogue;
  /** True for errors that mean that the database cannot be reached. */
  isUnavailable: (error: unknown) => boolean;
}

/** Every failure leaves here: as a page for people, as RFC 9457 problem details for programs. */
export function handleErrors(app: FastifyInstance, deps: ErrorDeps): void {
  app.setErrorHandler(async (error: FastifyError, request, reply) => {
    const problem = problemOf(error, deps.isUnavailable);
    logProblem(request, problem, error);
    return answer(request, reply, problem, deps);
  });
  app.setNotFoundHandler(async (request, reply) =>
    answer(
      request,
      reply,
      new Problem({ status: 404, code: 'not_found', message: 'There is nothing at this address.' }),
      deps,
    ),
  );
}

const CODES: Record<number, string> = {
  403: 'forbidden',
  404: 'not_found',
  413: 'too_large',
  415: 'unsupported_media_type',
  429: 'too_many_requests',
};

/** Whatever is not ours to tell becomes a plain 500: messages of libraries may quote what they were given. */
function problemOf(error: FastifyError, isUnavailable: ErrorDeps['isUnavailable']): Problem {
  if (error instanceof Problem) return error;
  if (isUnavailable(error)) {
    return new Problem({
      status: 503,
      code: 'unavailable',
      message: 'The service cannot reach its database just now.',
      retryAfterSeconds: UNAVAILABLE_RETRY_SECONDS,
      cause: error,
    });
  }
  const status = error.statusCode ?? 500;
  if (status >= 400 && status < 500) {
    return new Problem({
      status,
      code: CODES[status] ?? 'invalid_request',
      message: 'The request cannot be accepted as it is.',
      errors: faultsOf(error),
      cause: error,
    });
  }
  return new Problem({
    status: 500,
    code: 'internal',
    message: 'Something went wrong on our side.',
    cause: error,
  });
}

/** Faults that a route's schema found, with paths as people write them: `steps[0].id`. */
function faultsOf(error: FastifyError): Fault[] {
  return (error.validation ?? []).map(({ instancePath, params, message }) => {
    const missing = (params as { missingProperty?: string }).missingProperty;
    const path = instancePath
      .replace(/\/(\d+)/g, '[$1]')
      .replaceAll('/', '.')
      .replace(/^\./, '');
    return { path: [path, missing].filter(Boolean).join('.'), message: message ?? 'is not as expected' };
  });
}

function logProblem(request: FastifyRequest, problem: Problem, error: unknown): void {
  // Not `code`: the log hides everything of that name.
  const facts = { problem: problem.code, status: problem.status };
  if (problem.status >= 500) request.log.error({ ...facts, err: error }, 'request failed');
  else request.log.info(facts, 'request refused');
}

async function answer(
  request: FastifyRequest,
  reply: FastifyReply,
  problem: Problem,
  deps: ErrorDeps,
): Promise<FastifyReply> {
  if (problem.retryAfterSeconds !== undefined) reply.header('retry-after', String(problem.retryAfterSeconds));
  reply.header('cache-control', 'no-store');
  if (!(request.headers.accept ?? '').includes('text/html')) return sendDetails(request, reply, problem);
  const data: ErrorView = {
    heading: headingOf(problem.status),
    sentence: sentenceOf(problem, deps.english),
    detail: null,
    reference: problem.status === 404 ? null : request.id,
    back: problem.status < 500 ? { href: '/', label: text('page.home') } : null,
  };
  return deps.http.page(request, reply, { view: 'error', title: data.heading, status: problem.status, data });
}

function sendDetails(request: FastifyRequest, reply: FastifyReply, problem: Problem): FastifyReply {
  return reply
    .code(problem.status)
    .type('application/problem+json')
    .send({
      title: problem.message,
      status: problem.status,
      code: problem.code,
      reference: request.id,
      ...(problem.errors.length > 0 ? { errors: problem.errors } : {}),
    });
}

function headingOf(status: number): Text {
  if (status === 404) return text('error.notFound');
  if (status === 503) return text('error.unavailable');
  return text(status >= 500 ? 'error.heading' : 'error.refused');
}

function sentenceOf(problem: Problem, english: Catalogue): Text {
  const key = `problem.${problem.code}`;
  if (key in english) return text(key);
  return text(problem.status >= 500 ? 'problem.internal' : 'problem.invalid_request');
}
