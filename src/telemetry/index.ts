/**
 * telemetry: what the process tells its operator while it runs: the log, with whatever could be a secret taken out, the
 * metrics, and traces where a collector takes them. Owns the member `metrics` of gateway.yaml.
 * It does not own the audit record (audit/), which is data and lives in the database.
 * Routes: GET /metrics.
 */
export { createLog, type Logger, type LogOptions } from './log.ts';
export { createMetrics, type Metrics, type MetricsDeps, serveWorkerMetrics } from './metrics.ts';
export { traceRequests } from './requests.ts';
export { metricsRoute } from './routes.ts';
export { type MetricsDocument, metricsSection } from './settings.ts';
export { openTracer } from './tracer.ts';
