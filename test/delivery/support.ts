// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references are written so

import type { Test } from 'tap';
import { createReferences } from '../../src/config/index.ts';
import type { References } from '../../src/config/types.ts';
import { createEgress } from '../../src/delivery/index.ts';
import type { Dispatch, GatewayRequest, ProviderDocument } from '../../src/delivery/preset.ts';
import { http } from '../../src/delivery/presets/http.ts';
import type { Provider } from '../../src/delivery/providers.ts';
import type { Fault } from '../../src/lib/problem.ts';

/** A message with everything that a template may ask for. */
export const message: Dispatch = {
  id: 'msg_1',
  channel: 'sms',
  to: '+447700900123',
  text: 'Your code is 493817',
  code: '493817',
  locale: 'en',
  app: { id: 'shop', name: 'Demo shop' },
  user: { id: 'usr_1', attributes: { department: 'R&D', level: 3 } },
  from: 'SALLY',
  callback: 'https://id.example/receipts/main?message=msg_1',
};

export const references: References = createReferences(
  {
    TOKEN: 'pa$$ctx.num"\\',
    BASE: 'https://sms.example/v1',
    QUERY: 'a&b=c d',
    JSON: '{"priority":1}',
    WHOLE: 'https://sms.example/send?to=$ctx.num',
  },
  () => '{"to":$ctx.num}\n',
);

/** Reads a provider of preset `http`; every fault that it has, and how it would send. */
export function read(
  options: Record<string, unknown>,
  members: Record<string, unknown> = {},
): { faults: Fault[]; send(sent?: Partial<Dispatch>): GatewayRequest } {
  const faults: Fault[] = [];
  const document = {
    id: 'main',
    channel: 'sms',
    preset: 'http',
    from: 'SALLY',
    http: { url: 'https://sms.example/send', ...options },
    ...members,
  } as ProviderDocument;
  const prepared = http.prepare({
    document,
    resolve: (written) => references.resolve(written).value,
    fault: (path, message) => void faults.push({ path, message }),
  });
  return {
    faults,
    send(sent = {}) {
      if (prepared === null || faults.length > 0) throw new Error(JSON.stringify(faults));
      return http.request({ ...message, ...sent }, prepared);
    },
  };
}

/** The headers as a map, names in lower case. */
export const headersOf = (request: GatewayRequest): Record<string, string> =>
  Object.fromEntries(request.headers.map(([name, value]) => [name.toLowerCase(), value]));

/** A provider ready to send by {@link attempt}, as it is loaded from its document; its connections end with the test. */
export function provider(
  t: Test,
  options: Record<string, unknown>,
  members: Record<string, unknown> = {},
): Provider {
  const faults: Fault[] = [];
  const document = {
    id: 'main',
    channel: 'sms',
    preset: 'http',
    http: { allowPrivateNetwork: true, payload: '{"to":$ctx.num,"text":$ctx.msg}', ...options },
    ...members,
  } as ProviderDocument;
  const prepared = http.prepare({
    document,
    resolve: (written) => references.resolve(written).value,
    fault: (path, message) => void faults.push({ path, message }),
  });
  if (prepared === null || faults.length > 0) throw new Error(JSON.stringify(faults));
  const { transport } = prepared;
  const dispatcher = createEgress({
    allowPrivateNetwork: transport.allowPrivateNetwork,
    proxy: transport.proxy,
    ...(document.tls && { tls: document.tls }),
  });
  t.teardown(() => dispatcher.destroy());
  return {
    id: 'main',
    channel: 'sms',
    preset: http,
    from: document.from ?? null,
    gateway: { preset: http, prepared, transport, dispatcher },
    broken: null,
  };
}
