import { Type } from '../../lib/schema.ts';
import type { GatewayAnswer } from '../preset.ts';
import { accepted, refused } from '../vendor/answers.ts';
import { signV4 } from '../vendor/signature-v4.ts';
import { vendorPreset } from '../vendor/vendor.ts';
import { type Field, toForm } from '../vendor/wire.ts';

const Options = Type.Object({
  region: Type.String({ pattern: '^[a-z0-9-]+$', description: 'For instance eu-central-1' }),
  accessKeyId: Type.String({ minLength: 1 }),
  secretAccessKey: Type.String({ minLength: 1 }),
  sessionToken: Type.Optional(Type.String({ minLength: 1 })),
  smsType: Type.Optional(
    Type.Unsafe<'Transactional' | 'Promotional'>({
      type: 'string',
      enum: ['Transactional', 'Promotional'],
      description: 'Transactional by default: its route is the more reliable one',
    }),
  ),
});

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
  secrets: ['secretAccessKey', 'sessionToken'],
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
