import { gunzipSync } from 'node:zlib';
import { pointed } from '../http/json-pointer.ts';
import type { Call } from '../receipts/contract.ts';
import { allAt } from './reports.ts';

/*
 * Amazon SNS writes what became of a text message to CloudWatch Logs, and nowhere else:
 * https://docs.aws.amazon.com/sns/latest/dg/sms_stats_cloudwatch.html. A subscription of the log group hands it to Data
 * Firehose, which brings it here: https://docs.aws.amazon.com/firehose/latest/dev/httpdeliveryrequestresponse.html
 */

/** More of one record than a whole minute of sending brings: it may be packed however well. */
const MAX_RECORD_BYTES = 1024 * 1024;

/** What SNS wrote, each entry by itself. Anything else in the records is passed over. */
export const loggedEntries = (call: Call): unknown[] =>
  allAt('/records')(call).flatMap((record) => {
    const data = pointed(record, '/data');
    const batch = typeof data === 'string' ? parsed(unpacked(Buffer.from(data, 'base64'))) : undefined;
    const events = pointed(batch, '/logEvents');
    return (Array.isArray(events) ? events : []).map((event) => {
      const message = pointed(event, '/message');
      return typeof message === 'string' ? parsed(message) : undefined;
    });
  });

/** CloudWatch Logs packs what it hands over, unless Firehose is told to unpack it. */
function unpacked(data: Buffer): string {
  const isPacked = data[0] === 0x1f && data[1] === 0x8b;
  try {
    return (isPacked ? gunzipSync(data, { maxOutputLength: MAX_RECORD_BYTES }) : data).toString('utf8');
  } catch {
    return '';
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Without these two members Firehose would bring the same again. */
export const firehoseAnswer = ({ headers }: Call, now: Date): object => ({
  requestId: (headers['x-amz-firehose-request-id'] ?? '').slice(0, 100),
  timestamp: now.getTime(),
});
