import { type Static, Type } from '../../lib/schema.ts';
import type { Dispatch, GatewayRequest } from '../preset.ts';
import { type Codes, textAt } from './answers.ts';
import { basicAuthorization, callbackOf, type Field, postForm, segment } from './wire.ts';

/** What every API of Twilio needs: https://www.twilio.com/docs/usage/requests-to-twilio */
export const account = {
  accountSid: Type.String({ pattern: '^AC[0-9A-Za-z]{32}$' }),
  authToken: Type.Optional(
    Type.String({ minLength: 1, description: 'Receipts are checked with it, also beside an API key' }),
  ),
  apiKey: Type.Optional(
    Type.String({ minLength: 1, description: 'SK…, with apiSecret instead of authToken' }),
  ),
  apiSecret: Type.Optional(Type.String({ minLength: 1 })),
  region: Type.Optional(Type.String({ pattern: '^[a-z0-9-]+$', description: 'For instance ie1; with edge' })),
  edge: Type.Optional(Type.String({ pattern: '^[a-z0-9-]+$', description: 'For instance dublin' })),
};
const Account = Type.Object(account);
export type TwilioAccount = Static<typeof Account>;

export const accountSecrets = ['authToken', 'apiSecret'] as const;

/** https://www.twilio.com/docs/global-infrastructure/understanding-twilio-regions */
export const twilioOrigin =
  (product: 'api' | 'verify') =>
  ({ region, edge }: TwilioAccount): string => {
    const parts = [product, edge, region ?? (edge && 'us1'), 'twilio.com'];
    return `https://${parts.filter((part) => part !== undefined).join('.')}`;
  };

export function checkAccount(
  { apiKey, apiSecret, authToken }: TwilioAccount,
  fault: (path: string, message: string) => void,
): void {
  if ((apiKey === undefined) !== (apiSecret === undefined)) fault('apiSecret', 'and apiKey belong together');
  else if (apiKey === undefined && authToken === undefined) {
    fault('authToken', 'is missing; apiKey and apiSecret can stand in its place');
  }
}

export const twilioBasic = (options: TwilioAccount): [string, string] =>
  options.apiKey === undefined
    ? [options.accountSid, options.authToken ?? '']
    : [options.apiKey, options.apiSecret ?? ''];

export const postTwilio = (
  { accountSid }: TwilioAccount,
  resource: 'Messages' | 'Calls',
  message: Dispatch,
  fields: Field[],
): GatewayRequest =>
  postForm(`/2010-04-01/Accounts/${segment(accountSid)}/${resource}.json`, [
    ...fields,
    ['StatusCallback', callbackOf(message)],
  ]);

/** What is asked beside messages. */
export function askTwilio(options: TwilioAccount, path: string, fields: Field[]): GatewayRequest {
  const request = postForm(path, fields);
  request.headers.unshift(['Authorization', basicAuthorization(...twilioBasic(options))]);
  return request;
}

export const twilioCode = (json: unknown): string | null => textAt(json, '/code');

/** https://www.twilio.com/docs/api/errors: what is wrong with the recipient, and what with our account or sender. */
export const twilioCodes: Codes = {
  rejected: [
    ...['21211', '21217', '21265', '21401', '21421', '21604', '21610', '21614', '21617', '63024'],
    ...['13223', '13224', '13225', '13226', '13227'],
  ],
  unavailable: [
    ...['20003', '20005', '20403', '20429', '21210', '21212', '21213', '21215', '21216', '21219', '21408'],
    ...['21601', '21603', '21606', '21607', '21608', '21609', '21611', '21612', '21616', '21620', '21626'],
    ...['21635', '21654', '21659', '21660', '21661', '21701', '21703', '21705', '30002', '63007'],
  ],
};
