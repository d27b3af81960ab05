import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { isLoopback } from '../lib/network.ts';
import type { Fault } from '../lib/problem.ts';
import type { SecretKey } from '../lib/secrets.ts';
import type { TracerSettings } from '../telemetry/types.ts';
import { ConfigurationError } from './errors.ts';
import { parseSecretKeys } from './secret-keys.ts';
import type { Environment } from './types.ts';

type Variables = Record<string, string | undefined>;
type Report = (path: string, message: string) => void;

const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'];

/**
 * Reads the process environment. Throws {@link ConfigurationError} with everything that is wrong at once; the
 * sentences never hold a secret's value.
 */
export function readEnvironment(env: Variables): Environment {
  const faults: Fault[] = [];
  const report: Report = (path, message) => faults.push({ path, message });
  const given = (name: string): string | null => env[name]?.trim() || null;

  const port = readPort(given('PORT'), report);
  const databaseUrl = readDatabaseUrl(given('DATABASE_URL'), report);
  const configDir = given('CONFIG_DIR');
  const demo = databaseUrl === null && configDir === null && env.NODE_ENV !== 'production';
  const environment: Environment = {
    port,
    host: given('HOST') ?? '127.0.0.1',
    issuer: readIssuer(given('ISSUER') ?? `http://localhost:${port}`, report),
    databaseUrl,
    dataDir: readDataDir(given('DATA_DIR')),
    configDir: configDir === null ? null : resolve(configDir),
    secretKeys: readSecretKeys(given('SECRET_KEY'), given('SECRET_KEY_FILE'), report),
    // A person who tries the demo wants to see its banner.
    logLevel: readLogLevel(given('LOG_LEVEL'), demo ? 'warn' : 'info', report),
    workers: readWorkers(given('WORKERS'), databaseUrl, report),
    tracing: readTracing(given, report),
    demo,
  };
  if (port === 0 && given('ISSUER') === null) report('ISSUER', 'is required when PORT is 0');
  if (databaseUrl !== null && given('SECRET_KEY') === null && given('SECRET_KEY_FILE') === null) {
    report('SECRET_KEY', 'is required with DATABASE_URL; openssl rand -base64 32 makes one');
  }
  if (faults.length > 0) throw new ConfigurationError(faults);
  return environment;
}

function readPort(value: string | null, report: Report): number {
  if (value === null) return 3000;
  const port = Number(value);
  if (/^\d+$/u.test(value) && port <= 65535) return port;
  report('PORT', `must be a number from 0 to 65535, not "${value}"`);
  return 3000;
}

function readIssuer(value: string, report: Report): URL {
  const fallback = new URL('http://localhost');
  if (!URL.canParse(value)) {
    report('ISSUER', `must be an origin such as https://login.example.com, not "${value}"`);
    return fallback;
  }
  const url = new URL(value);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    report('ISSUER', 'must begin with https://');
  } else if (url.protocol === 'http:' && !isLoopback(url.hostname)) {
    report('ISSUER', 'must begin with https:// (plain http is for localhost only)');
  }
  if (url.username !== '' || url.password !== '') report('ISSUER', 'may hold no user name and no password');
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '') {
    report('ISSUER', `must be an origin without a path: ${url.origin}`);
  }
  return url;
}

function readDatabaseUrl(value: string | null, report: Report): string | null {
  if (value !== null && !/^postgres(?:ql)?:\/\//u.test(value)) {
    report('DATABASE_URL', 'must begin with postgres:// or postgresql://');
  } else if (value !== null && !URL.canParse(value.replace('@/', '@localhost/'))) {
    // The value holds a password: it is not repeated.
    report(
      'DATABASE_URL',
      'is no URL: postgres://user:password@host:5432/database, special characters as %XX',
    );
  }
  return value;
}

/** Kept as it is when it is no path (`memory://`). */
const readDataDir = (value: string | null): string =>
  value?.includes('://') ? value : resolve(value ?? './data');

function readSecretKeys(inline: string | null, file: string | null, report: Report): SecretKey[] | null {
  if (inline !== null && file !== null)
    report('SECRET_KEY', 'stands beside SECRET_KEY_FILE: give one of the two');
  const name = inline === null ? 'SECRET_KEY_FILE' : 'SECRET_KEY';
  const value = inline ?? (file === null ? null : readKeyFile(file, report));
  if (value === null) return null;
  const keys = parseSecretKeys(value);
  if (typeof keys !== 'string') return keys;
  report(name, keys);
  return null;
}

function readKeyFile(path: string, report: Report): string | null {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (error) {
    report('SECRET_KEY_FILE', `cannot be read: ${(error as Error).message}`);
    return null;
  }
}

function readLogLevel(value: string | null, standard: string, report: Report): string {
  if (value === null || logLevels.includes(value)) return value ?? standard;
  report('LOG_LEVEL', `must be one of ${logLevels.join(', ')}`);
  return standard;
}

function readWorkers(value: string | null, databaseUrl: string | null, report: Report): number {
  const workers = Number(value ?? 1);
  if (!Number.isInteger(workers) || workers < 1 || workers > 64) {
    report('WORKERS', `must be a number from 1 to 64, not "${value}"`);
    return 1;
  }
  if (workers > 1 && databaseUrl === null) {
    report('WORKERS', 'more than one needs DATABASE_URL: the embedded database belongs to a single process');
  }
  return workers;
}

type Given = (name: string) => string | null;

/** The variables of OpenTelemetry, as far as they concern traces over HTTP. Null: no collector is named. */
function readTracing(given: Given, report: Report): TracerSettings | null {
  if (given('OTEL_SDK_DISABLED')?.toLowerCase() === 'true') return null;
  const own = 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT';
  const common = 'OTEL_EXPORTER_OTLP_ENDPOINT';
  const name = given(own) === null ? common : own;
  const endpoint = given(name);
  if (endpoint === null) return null;
  const isUrl = URL.canParse(endpoint) && /^https?:$/u.test(new URL(endpoint).protocol);
  // Not repeated: collectors are sometimes given a key in their address.
  if (!isUrl) report(name, 'must be the address of a collector, such as http://localhost:4318');
  for (const protocol of ['OTEL_EXPORTER_OTLP_TRACES_PROTOCOL', 'OTEL_EXPORTER_OTLP_PROTOCOL']) {
    if ((given(protocol) ?? 'http/json') !== 'http/json') {
      report(
        protocol,
        'must be http/json, which collectors take at the port of http/protobuf: traces are sent so',
      );
    }
  }
  return {
    url: name === own ? endpoint : `${endpoint.replace(/\/$/u, '')}/v1/traces`,
    headers: {
      ...readPairs('OTEL_EXPORTER_OTLP_HEADERS', given, report),
      ...readPairs('OTEL_EXPORTER_OTLP_TRACES_HEADERS', given, report),
    },
    serviceName: given('OTEL_SERVICE_NAME') ?? 'sallyport',
    sampler: readSampler(given, report),
  };
}

/** `name=value,name=value`, values as %XX. They may be credentials and are not repeated. */
function readPairs(name: string, given: Given, report: Report): Record<string, string> {
  const pairs: Record<string, string> = {};
  for (const pair of given(name)?.split(',') ?? []) {
    const [, key, value] = /^\s*([\w!#$%&'*+.^`|~-]+)\s*=\s*([\x21-\x7e ]*?)\s*$/u.exec(pair) ?? [];
    try {
      if (key === undefined || value === undefined) throw new URIError();
      pairs[key] = decodeURIComponent(value);
      if (/[^\x20-\x7e]/u.test(pairs[key])) throw new URIError();
    } catch {
      report(name, 'must be a list such as name=value,name2=value2, special characters as %XX');
    }
  }
  return pairs;
}

const samplers = ['always_on', 'always_off', 'traceidratio'];

function readSampler(given: Given, report: Report): TracerSettings['sampler'] {
  const name = given('OTEL_TRACES_SAMPLER') ?? 'parentbased_always_on';
  const kind = name.replace(/^parentbased_/u, '');
  const argument = given('OTEL_TRACES_SAMPLER_ARG') ?? '1';
  const ratio = Number(argument);
  if (!samplers.includes(kind)) {
    report('OTEL_TRACES_SAMPLER', `must be one of ${samplers.join(', ')}, or one of them after parentbased_`);
  }
  if (kind === 'traceidratio' && !(ratio >= 0 && ratio <= 1)) {
    report('OTEL_TRACES_SAMPLER_ARG', `must be a number from 0 to 1, not "${argument}"`);
  }
  const of = { always_on: 1, always_off: 0 }[kind] ?? ratio;
  return { parentBased: name !== kind, ratio: of };
}

/** The variables of this process. Nothing outside this folder reads them in any other way. */
export const processVariables: Variables = process.env;
