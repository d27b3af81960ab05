import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import type { Test } from 'tap';
import { Agent } from 'undici';
import { createReferences } from '../../../src/config/index.ts';
import { attempt } from '../../../src/delivery/attempt.ts';
import { type Dispatch, isHttp, type ProviderDocument, type Tools } from '../../../src/delivery/preset.ts';
import { presets } from '../../../src/delivery/presets/index.ts';
import type { Provider } from '../../../src/delivery/providers.ts';
import type { Outcome } from '../../../src/delivery/types.ts';
import type { Fault } from '../../../src/lib/problem.ts';
import { message } from '../support.ts';

export { message };

export const now = new Date('2026-03-01T10:00:00Z');
export const tools = { now } as Tools;

/** Fields of the vendors' own examples, which are no credentials of anybody. */
export const sid = 'ACXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX';
export const callback = message.callback;

/** Reads a provider as it is read when it is loaded. */
export function load(document: Record<string, unknown>): { faults: Fault[]; prepared: unknown } {
  const faults: Fault[] = [];
  const full = { id: 'main', channel: 'sms', ...document } as unknown as ProviderDocument;
  const references = createReferences({ SECRET: 'from-the-environment' }, () => '');
  const prepared = presetOf(full.preset).prepare?.({
    document: full,
    resolve: (written) => references.resolve(written).value,
    fault: (path, text) => void faults.push({ path, message: text }),
  });
  return { faults, prepared: prepared ?? null };
}

export function presetOf(id: string) {
  const preset = presets.find((one) => one.id === id);
  if (preset === undefined) throw new Error(`no preset ${id}`);
  return preset;
}

export interface Answer {
  status: number;
  body?: string;
  headers?: Record<string, string>;
}

export interface Wire {
  /** Sends one message; what went over the line, byte by byte, and what came of it. */
  send(sent?: Partial<Dispatch>, answer?: Answer): Promise<{ raw: string; outcome: Outcome }>;
}

/** The provider with a line to a recorder, whatever host it means to speak to. */
export async function wireOf(t: Test, document: Record<string, unknown>): Promise<Wire> {
  const { faults, prepared } = load(document);
  if (faults.length > 0 || prepared === null) throw new Error(JSON.stringify(faults));
  const recorder = await startRecorder(t);
  const preset = presetOf(String(document.preset));
  if (!isHttp(preset)) throw new Error('not HTTP');
  const dispatcher = new Agent({
    connect: (_options, done) => {
      const socket = connect(recorder.port, '127.0.0.1', () => done(null, socket));
      socket.on('error', () => undefined);
    },
  });
  t.teardown(() => dispatcher.destroy());
  const provider: Provider = {
    ...{ id: 'main', channel: 'sms', preset, broken: null },
    from: typeof document.from === 'string' ? document.from : null,
    gateway: { preset, prepared, transport: preset.transport(prepared), dispatcher },
  };
  return {
    async send(sent = {}, answer = { status: 500 }) {
      recorder.answer = answer;
      const dispatch = { ...message, from: provider.from, ...sent };
      const outcome = await attempt(provider, dispatch, 5_000, tools);
      return { raw: recorder.requests.at(-1) ?? '', outcome };
    },
  };
}

interface Recorder {
  port: number;
  requests: string[];
  answer: Answer;
}

/** Reads requests as bytes, not as a server would understand them, and answers each. */
async function startRecorder(t: Test): Promise<Recorder> {
  const recorder: Recorder = { port: 0, requests: [], answer: { status: 200 } };
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    let read = '';
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      read += chunk.toString('latin1');
      const head = read.indexOf('\r\n\r\n');
      const length = Number(/\r\ncontent-length: (\d+)/i.exec(read)?.[1] ?? 0);
      if (head < 0 || read.length < head + 4 + length) return;
      recorder.requests.push(Buffer.from(read, 'latin1').toString('utf8'));
      read = '';
      const { status, body = '', headers = {} } = recorder.answer;
      const lines = Object.entries({ 'content-length': Buffer.byteLength(body), ...headers });
      socket.write(
        `HTTP/1.1 ${status} x\r\n${lines.map((line) => line.join(': ')).join('\r\n')}\r\n\r\n${body}`,
      );
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  recorder.port = (server.address() as AddressInfo).port;
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return recorder;
}

/** A POST as it goes over the line. */
export const post = (host: string, path: string, headers: string[], body: string): string =>
  [
    `POST ${path} HTTP/1.1`,
    `host: ${host}`,
    'connection: keep-alive',
    ...headers,
    `content-length: ${Buffer.byteLength(body)}`,
    '',
    body,
  ].join('\r\n');

export const jsonHeaders = ['Content-Type: application/json', 'Accept: application/json'];
export const formHeaders = ['Content-Type: application/x-www-form-urlencoded', 'Accept: application/json'];

/** Written out by hand, unlike in the presets. */
export const basic = (pair: string): string => `Authorization: Basic ${btoa(pair)}`;

export type Case = [what: string, answer: Answer, expected: Partial<Outcome>];

/** Asks for each answer what becomes of the message. */
export async function outcomes(t: Test, wire: Wire, cases: Case[]): Promise<void> {
  for (const [what, answer, expected] of cases) {
    const { outcome } = await wire.send({}, answer);
    t.match(outcome, expected, what);
  }
}

export const json = (status: number, body: unknown, headers: Record<string, string> = {}): Answer => ({
  status,
  body: JSON.stringify(body),
  headers: { 'content-type': 'application/json', ...headers },
});

/** What every vendor does alike. */
export const common: Case[] = [
  ['throttled', { status: 429, headers: { 'retry-after': '30' } }, { status: 'unavailable' }],
  ['bad credentials', json(401, { message: 'Unauthorized' }), { status: 'unavailable' }],
  ['no such address', { status: 404 }, { status: 'unavailable' }],
  ['broken', { status: 500, body: 'oops' }, { status: 'unknown' }],
  ['bad gateway', { status: 502 }, { status: 'unknown' }],
  ['busy', { status: 503 }, { status: 'unavailable' }],
  ['moved', { status: 307, headers: { location: 'https://elsewhere.example/' } }, { status: 'unavailable' }],
];
