import { type Static, Type } from '../../lib/schema.ts';
import { secretsMatch } from '../../lib/secrets.ts';
import type { GatewayAnswer } from '../preset.ts';
import type { FailureClass } from '../receipts/contract.ts';
import { accepted, refused, textAt } from '../vendor/answers.ts';
import { firehoseAnswer, loggedEntries } from '../vendor/firehose.ts';
import { priceOf, vendorReceipts } from '../vendor/reports.ts';
import { signV4 } from '../vendor/signature-v4.ts';
import { vendorPreset } from '../vendor/vendor.ts';
import { type Field, toForm } from '../vendor/wire.ts';

const Options = Type.Object({
  region: Type.String({ pattern: '^[a-z0-9-]+$', description: 'For instance eu-central-1' }),
  accessKeyId: Type.String({ minLength: 1 }),
  secretAccessKey: Type.String({ minLength: 1 }),
  sessionToken: Type.Optional(Type.String({ minLength: 1 })),
  smsType: Type.Optional(
    Type.Enum(['Transactional', 'Promotional'], {
      description: 'Transactional by default: its route is the more reliable one',
    }),
  ),
  firehoseAccessKey: Type.Optional(
    Type.String({ minLength: 16, description: 'Of the Firehose stream that brings receipts here' }),
  ),
});

/**
 * The reasons of https://docs.aws.amazon.com/sns/latest/dg/sms_stats_cloudwatch.html. Any other is taken for a fault of the
 * way, `SUCCESS` for no more than the network's word unless the phone itself has answered.
 */
const reasons: Record<string, FailureClass> = {
  'Blocked as spam by phone carrier': 'blocked',
  'Destination is on a blocked list': 'blocked',
  'Destination is on a denylist': 'blocked',
  'Invalid phone number': 'number',
  'Phone carrier has blocked this message': 'blocked',
  'Phone has blocked SMS': 'blocked',
  'Phone is on a blocked list': 'blocked',
  'Phone is on a denylist': 'blocked',
  'Phone is currently unreachable/unavailable': 'unreachable',
  'Phone number is opted out': 'blocked',
};

const receipts = {
  ...vendorReceipts<Static<typeof Options>>({
    states: { SENT: 'sent', SUCCESS: 'delivered', FAILURE: 'gateway' },
    reasons,
    pick: loggedEntries,
    read: (entry) => ({
      gatewayId: textAt(entry, '/notification/messageId'),
      state: stateOf(entry),
      reason: textAt(entry, '/delivery/providerResponse'),
      price: priceOf(textAt(entry, '/delivery/priceInUSD'), 'USD'),
    }),
    proven: ({ headers }, { firehoseAccessKey: key }) =>
      key === undefined ? null : secretsMatch(key, headers['x-amz-firehose-access-key'] ?? ''),
  }),
  answer: firehoseAnswer,
};

function stateOf(entry: unknown): string | null {
  const status = textAt(entry, '/status');
  const acknowledged = textAt(entry, '/delivery/dwellTimeMsUntilDeviceAck') !== null;
  return status === 'SUCCESS' && !acknowledged ? 'SENT' : status;
}

/** Errors of the action: https://docs.aws.amazon.com/sns/latest/api/API_Publish.html */
const codes = {
  rejected: ['InvalidParameter', 'InvalidParameterValue', 'ParameterValueInvalid', 'OptedOut'],
  unavailable: [
    ...[
      'AuthorizationError',
      'InvalidSecurity',
      'NotFound',
      'Throttled',
      'Throttling',
      'ThrottlingException',
    ],
    ...['RequestExpired', 'ExpiredToken', 'InvalidClientTokenId', 'SignatureDoesNotMatch', 'OptInRequired'],
    ...['UserError', 'ValidationError', 'IncompleteSignature', 'MissingAuthenticationToken'],
  ],
};

/** Text messages of Amazon SNS: https://docs.aws.amazon.com/sns/latest/dg/sms_publish-to-phone.html */
export const awsSns = vendorPreset(Options, {
  id: 'aws-sns',
  channels: ['sms'],
  secrets: ['secretAccessKey', 'sessionToken', 'firehoseAccessKey'],
  origin: ({ region }) => `https://sns.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}`,
  request(message, options, { now, host }) {
    const body = toForm([
      ['Action', 'Publish'],
      ['Version', '2010-03-31'],
      ['PhoneNumber', message.to],
      ['Message', message.text],
      ...attributes(message.from, options.smsType ?? 'Transactional'),
    ]);
    const headers: [string, string][] = [
      ['Content-Type', 'application/x-www-form-urlencoded; charset=utf-8'],
    ];
    const signable = { method: 'POST', host, path: '/', query: '', headers, body };
    const scope = { region: options.region, service: 'sns' };
    const { accessKeyId, secretAccessKey, sessionToken } = options;
    const credentials = { accessKeyId, secretAccessKey, ...(sessionToken && { sessionToken }) };
    return {
      method: 'POST',
      path: '/',
      headers: [...headers, ...signV4(signable, credentials, scope, now)],
      body,
    };
  },
  outcome(answer) {
    const id = elementOf(answer, 'MessageId');
    if (answer.status === 200 && id !== null) return accepted(id);
    return refused(answer, elementOf(answer, 'Code'), codes);
  },
  receipts,
});

/** A number of ours is asked for by another attribute than a name. */
function attributes(from: string | null, smsType: string): Field[] {
  const entries = [['AWS.SNS.SMS.SMSType', smsType]];
  if (from?.startsWith('+')) entries.push(['AWS.MM.SMS.OriginationNumber', from]);
  else if (from !== null) entries.push(['AWS.SNS.SMS.SenderID', from]);
  return entries.flatMap(([name, value], index): Field[] => {
    const entry = `MessageAttributes.entry.${index + 1}`;
    return [
      [`${entry}.Name`, name],
      [`${entry}.Value.DataType`, 'String'],
      [`${entry}.Value.StringValue`, value],
    ];
  });
}

/** The only two elements that are read hold letters, digits and hyphens: no entity can stand in them. */
const elementOf = ({ body }: GatewayAnswer, name: 'MessageId' | 'Code'): string | null =>
  new RegExp(`<${name}>([\\w.-]{1,200})</${name}>`).exec(body)?.[1] ?? null;
