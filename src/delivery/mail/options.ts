import { durationPattern, parseDuration } from '../../lib/duration.ts';
import { type Static, Type } from '../../lib/schema.ts';
import { createReader } from '../http/reader.ts';
import { secureOptions } from '../network/egress.ts';
import type { ProviderDraft, Transport } from '../preset.ts';
import { compileHeader } from '../template/payload.ts';
import type { Piece } from '../template/template.ts';
import { readMembers } from '../vendor/vendor.ts';

export const SmtpOptions = Type.Object(
  {
    host: Type.String({ pattern: '^[A-Za-z0-9.:-]+$' }),
    port: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 65535, description: '587 by default; 465 with secure' }),
    ),
    secure: Type.Optional(Type.Boolean({ description: 'TLS from the first byte, as on port 465' })),
    requireTLS: Type.Optional(
      Type.Boolean({ description: 'True by default: a server that offers no STARTTLS gets nothing' }),
    ),
    user: Type.Optional(Type.String({ minLength: 1 })),
    password: Type.Optional(Type.String({ minLength: 1 })),
    subject: Type.Optional(
      Type.String({
        minLength: 1,
        description: 'Template; $ctx.subject by default, which is what messages.yaml says',
      }),
    ),
    timeout: Type.Optional(
      Type.String({ pattern: durationPattern, description: 'For the whole exchange; 10s by default' }),
    ),
    allowPrivateNetwork: Type.Optional(
      Type.Boolean({ description: 'The server stands in a private network' }),
    ),
  },
  { additionalProperties: false },
);

type Options = Static<typeof SmtpOptions>;

export interface PreparedSmtp {
  host: string;
  port: number;
  secure: boolean;
  requireTLS: boolean;
  auth: { user: string; pass: string } | null;
  tls: ReturnType<typeof secureOptions>;
  subject: Piece[];
  /** The domain that mails come from. */
  domain: string;
  transport: Transport;
}

const DEFAULT_TIMEOUT_MS = 10_000;

/** Reads the options; null when something about them was reported. */
export function prepareSmtp(draft: ProviderDraft): PreparedSmtp | null {
  const faults = { count: 0 };
  const fault = (path: string, message: string) => {
    faults.count++;
    draft.fault(path, message);
  };
  const counting = { ...draft, fault };
  const options = readMembers('smtp', counting) as Options | null;
  if (options === null) return null;
  // References may have said these, and then they are text.
  const secure = truth(options.secure) ?? Number(options.port) === 465;
  const port = Number(options.port ?? (secure ? 465 : 587));
  const requireTLS = truth(options.requireTLS) ?? true;
  if (!Number.isInteger(port) || port < 1 || port > 65535) fault('smtp.port', 'is no number of a port');
  checkUser(options, secure || requireTLS, fault);
  const domain = domainOf(draft, fault);
  const reader = createReader(counting);
  const subject = reader.read('smtp.subject', options.subject ?? '$ctx.subject', (nodes, found) =>
    compileHeader(nodes, reader.constants, found),
  );
  const literal = options.host.includes(':') ? `[${options.host}]` : options.host;
  const transport = transportOf(options, `${secure ? 'smtps' : 'smtp'}://${literal}:${port}`, fault);
  if (faults.count > 0 || subject === null) return null;
  const { user, password: pass } = options;
  const auth = user === undefined || pass === undefined ? null : { user, pass };
  const { host } = options;
  return { host, port, secure, requireTLS, auth, tls: tlsOf(draft), subject, domain, transport };
}

const truth = (value: boolean | string | undefined): boolean | undefined =>
  value === undefined ? undefined : String(value) === 'true';

function checkUser(
  { user, password }: Options,
  encrypted: boolean,
  fault: (path: string, message: string) => void,
): void {
  if ((user === undefined) !== (password === undefined)) fault('smtp.password', 'and user belong together');
  if (user !== undefined && !encrypted) {
    fault('smtp.requireTLS', 'cannot be false beside a password: it would go over the line in clear');
  }
}

function domainOf(draft: ProviderDraft, fault: (path: string, message: string) => void): string {
  const from = draft.resolve(draft.document.from ?? '');
  const domain = /^[^@\p{Cc}]+@([A-Za-z0-9.-]+)>?$/u.exec(from.trim())?.[1];
  if (domain === undefined)
    fault('from', 'must be the address that mails come from: Name <name@example.org>');
  return domain ?? '';
}

function transportOf(
  { timeout, allowPrivateNetwork, password }: Options,
  origin: string,
  fault: (path: string, message: string) => void,
): Transport {
  const timeoutMs = timeout === undefined ? DEFAULT_TIMEOUT_MS : parseDuration(timeout);
  if (timeoutMs < 1_000 || timeoutMs > 60_000) fault('smtp.timeout', 'must be between 1s and 60s');
  return {
    origin,
    timeoutMs,
    allowPrivateNetwork: truth(allowPrivateNetwork) ?? false,
    proxy: null,
    secrets: password === undefined ? [] : [password],
  };
}

const tlsOf = ({ document, resolve }: ProviderDraft) =>
  secureOptions(
    document.tls &&
      Object.fromEntries(Object.entries(document.tls).map(([name, pem]) => [name, resolve(pem)])),
  );
