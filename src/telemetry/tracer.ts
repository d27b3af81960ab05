import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Attributes, Tracer as Library, Span } from '@opentelemetry/api';
import type { SpanExporter } from '@opentelemetry/sdk-trace';
import type { Facts, OpenSpan, RemoteParent, SpanStart, Tracer, TracerSettings } from './types.ts';

/** A stop does not wait longer for a collector. */
const FLUSH_MS = 700;
const EXPORT_TIMEOUT_MS = 5_000;
/** Spans that wait to be sent. More than these are dropped: nobody waits for a collector. */
const MOST_WAITING = 8_192;
const LONGEST_FACT = 4_096;
const COMPLAIN_MS = 60_000;

/**
 * Sends spans to a collector, in batches and beside the work. The libraries are loaded here and not before. `onFault`
 * hears, once a minute at most, that the collector did not take them.
 */
export async function openTracer(settings: TracerSettings, onFault: (error: Error) => void): Promise<Tracer> {
  const [api, sdk, { resourceFromAttributes }, { OTLPTraceExporter }] = await Promise.all([
    import('@opentelemetry/api'),
    import('@opentelemetry/sdk-trace'),
    import('@opentelemetry/resources'),
    import('@opentelemetry/exporter-trace-otlp-http'),
  ]);
  const { url, headers, serviceName, sampler } = settings;
  const ratio = new sdk.TraceIdRatioBasedSampler(sampler.ratio);
  const provider = new sdk.TracerProvider({
    sampler: sampler.parentBased ? new sdk.ParentBasedSampler({ root: ratio }) : ratio,
    resource: resourceFromAttributes({
      'service.name': serviceName,
      'service.instance.id': randomUUID(),
      'process.pid': process.pid,
    }),
    spanLimits: { attributeValueLengthLimit: LONGEST_FACT },
    spanProcessors: [
      new sdk.BatchSpanProcessor({
        exporter: watched(
          new OTLPTraceExporter({ url, headers, timeoutMillis: EXPORT_TIMEOUT_MS }),
          seldom(onFault),
        ),
        maxQueueSize: MOST_WAITING,
        exportTimeoutMillis: 2 * EXPORT_TIMEOUT_MS,
      }),
    ],
  });
  return createTracer(api, provider.getTracer('sallyport'), async () => {
    // Its own failures have been told by then, and nothing may hold up a stop.
    const flushed = provider.shutdown().catch(() => undefined);
    await Promise.race([flushed, delay(FLUSH_MS, undefined, { ref: false })]);
  });
}

/** What a collector does not take is dropped; without this nobody would know. */
function watched(exporter: SpanExporter, onFault: (error: Error) => void): SpanExporter {
  return {
    export: (spans, done) =>
      exporter.export(spans, (result) => {
        // The library's own number for success.
        if (result.code !== 0) onFault(result.error ?? new Error('the collector did not take them'));
        done({ code: 0 });
      }),
    shutdown: () => exporter.shutdown(),
    forceFlush: async () => exporter.forceFlush?.(),
  };
}

function seldom(tell: (error: Error) => void): (error: Error) => void {
  let last = -COMPLAIN_MS;
  return (error) => {
    if (performance.now() - last < COMPLAIN_MS) return;
    last = performance.now();
    tell(error);
  };
}

type Api = typeof import('@opentelemetry/api');

/** Begins a span below `parent`, or below the one in force, or a trace. */
function createStart(api: Api, library: Library, inForce: () => Span | undefined) {
  const kinds = {
    internal: api.SpanKind.INTERNAL,
    server: api.SpanKind.SERVER,
    client: api.SpanKind.CLIENT,
  };
  return (name: string, { kind, facts = {}, parent }: SpanStart, startTime?: number): Span => {
    const above = inForce();
    const context = parent
      ? api.trace.setSpanContext(api.ROOT_CONTEXT, remote(parent))
      : above
        ? api.trace.setSpan(api.ROOT_CONTEXT, above)
        : api.ROOT_CONTEXT;
    const options = { kind: kinds[kind ?? 'internal'], attributes: present(facts) };
    return library.startSpan(name, { ...options, ...(startTime && { startTime }) }, context);
  };
}

function createTracer(api: Api, library: Library, close: () => Promise<void>): Tracer {
  const inForce = new AsyncLocalStorage<Span>();
  const start = createStart(api, library, () => inForce.getStore());

  const end = (span: Span, fault: string | null): void => {
    if (fault !== null) {
      span.setAttribute('error.type', fault);
      span.setStatus({ code: api.SpanStatusCode.ERROR });
    }
    span.end();
  };

  const begin = (name: string, options: SpanStart = {}): OpenSpan => {
    const span = start(name, options);
    return {
      run: (work) => inForce.run(span, work),
      tell: (facts) => void span.setAttributes(present(facts)),
      end: (fault = null) => end(span, fault),
    };
  };

  return {
    begin,
    async span(name, options, work) {
      if (inForce.getStore() === undefined) return work(() => undefined);
      const span = begin(name, options);
      try {
        const result = await span.run(() => work(span.tell));
        span.end();
        return result;
      } catch (error) {
        span.end(faultOf(error));
        throw error;
      }
    },
    ended(name, options, ms, error) {
      if (inForce.getStore()?.isRecording() !== true) return;
      const startTime = performance.timeOrigin + performance.now() - ms;
      end(start(name, options, startTime), error === undefined ? null : faultOf(error));
    },
    event: (name, facts) => void inForce.getStore()?.addEvent(name, present(facts)),
    tell: (facts) => void inForce.getStore()?.setAttributes(present(facts)),
    ids() {
      const span = inForce.getStore()?.spanContext();
      return span === undefined ? {} : { trace_id: span.traceId, span_id: span.spanId };
    },
    close,
  };
}

const remote = ({ traceId, spanId, sampled }: RemoteParent) => ({
  ...{ traceId, spanId },
  traceFlags: sampled ? 1 : 0,
  isRemote: true,
});

/** Facts that are not known are left out. */
const present = (facts: Facts): Attributes =>
  Object.fromEntries(
    Object.entries(facts).filter(([, value]) => value !== null && value !== undefined),
  ) as Attributes;

/** A code such as `ECONNREFUSED`, `23505` or `busy`, else the error's name. Never its message. */
function faultOf(error: unknown): string {
  const { code, name } = (error ?? {}) as { code?: unknown; name?: unknown };
  if (typeof code === 'string') return code;
  return typeof name === 'string' ? name : 'Error';
}
