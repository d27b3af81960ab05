import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Test } from 'tap';

/** What a request to the stand-in asked. */
export interface VerifyCall {
  path: string;
  fields: Record<string, string>;
  authorization: string;
}

/** Takes the place of Twilio Verify: it makes codes, counts tries, and forgets what was approved. */
export interface VerifyServer {
  url: string;
  sent: VerifyCall[];
  checks: VerifyCall[];
  updates: VerifyCall[];
  /** The code that the person with this number would read. */
  codeOf(to: string): string;
  /** In place of what it would answer, for all further requests of the kind. */
  instead: Partial<Record<'send' | 'check' | 'update', (response: ServerResponse) => void>>;
}

const verificationSid = (n: number): string => `VE${String(n).padStart(32, '0')}`;

export async function startVerify(t: Test): Promise<VerifyServer> {
  const pending = new Map<string, { sid: string; code: string; tries: number }>();
  const answer = (response: ServerResponse, status: number, body: object) =>
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  const verify: VerifyServer = {
    ...{ url: '', sent: [], checks: [], updates: [], instead: {} },
    codeOf: (to) => pending.get(to)?.code ?? '',
  };

  function send({ fields }: VerifyCall, response: ServerResponse): void {
    const to = fields.To ?? '';
    // Within its time a verification stays the same, and so does its code.
    const present = pending.get(to) ?? {
      ...{ sid: verificationSid(verify.sent.length), tries: 0 },
      code: fields.CustomCode ?? String(randomInt(100_000, 1_000_000)),
    };
    pending.set(to, present);
    answer(response, 201, { sid: present.sid, to, status: 'pending', valid: false });
  }
  function check({ fields }: VerifyCall, response: ServerResponse): void {
    const one = pending.get(fields.To ?? '');
    if (!one) return void answer(response, 404, { code: 20404, message: 'not found', status: 404 });
    one.tries += 1;
    if (one.tries > 5) return void answer(response, 429, { code: 60202, message: 'max', status: 429 });
    const right = one.code === fields.Code;
    if (right) pending.delete(fields.To ?? '');
    answer(response, 200, { sid: one.sid, status: right ? 'approved' : 'pending', valid: right });
  }

  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const path = request.url ?? '';
    const fields = Object.fromEntries(new URLSearchParams(body));
    const call = { path, fields, authorization: request.headers.authorization ?? '' };
    if (path.endsWith('/VerificationCheck')) {
      verify.checks.push(call);
      return verify.instead.check ? verify.instead.check(response) : check(call, response);
    }
    if (path.endsWith('/Verifications')) {
      verify.sent.push(call);
      return verify.instead.send ? verify.instead.send(response) : send(call, response);
    }
    verify.updates.push(call);
    return verify.instead.update ? verify.instead.update(response) : void answer(response, 200, {});
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  verify.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return verify;
}

export const verifyService = `VA${'0'.repeat(32)}`;

/** A provider that speaks to the stand-in. */
export const verifyProvider = (id: string, url: string, options: object = {}, members: object = {}) => ({
  ...{ id, channel: 'sms', preset: 'twilio-verify', ...members },
  'twilio-verify': {
    ...{ accountSid: `AC${'0'.repeat(32)}`, authToken: 'token-of-verify', verifyServiceSid: verifyService },
    ...{ baseUrl: url, allowPrivateNetwork: true, ...options },
  },
});
