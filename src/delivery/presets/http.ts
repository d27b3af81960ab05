import { hideHttp } from '../http/hide.ts';
import { HttpOptions } from '../http/options.ts';
import { type PreparedHttp, prepareHttp } from '../http/prepare.ts';
import type { HttpPreset } from '../preset.ts';
import { httpReceipts } from '../receipts/http.ts';
import { render } from '../template/template.ts';
import { valuesOf } from '../values.ts';

/** The generic connector: URL, headers and payload are templates, so that it can speak to any gateway. */
export const http = {
  id: 'http',
  channels: ['sms', 'voice', 'email'],
  options: HttpOptions,
  prepare: prepareHttp,
  transport: ({ transport }) => transport,
  request(message, { method, path, headers, body }) {
    const values = valuesOf(message);
    return {
      method,
      path: render(path, values),
      headers: headers.map(({ name, value }) => [name, render(value, values)]),
      body: body === null ? null : render(body, values),
    };
  },
  authorizer: ({ authorizer }) => authorizer,
  settled: (head, { judge }) => judge.settled(head),
  outcome: (answer, { judge }) => judge.outcome(answer),
  receipts: httpReceipts,
  hide: hideHttp,
} satisfies HttpPreset<PreparedHttp>;
