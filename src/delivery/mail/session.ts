import { Readable } from 'node:stream';
import type SMTPConnection from 'nodemailer/lib/smtp-connection';
import { openSocket } from '../network/socket.ts';
import type { Outcome } from '../types.ts';
import type { PreparedSmtp } from './options.ts';

/** What the library says of a failure: `responseCode` and `response` are the server's. */
interface SmtpFailure extends Error {
  code?: string | undefined;
  command?: string | undefined;
  responseCode?: number | undefined;
  response?: string | undefined;
}

export interface Mail {
  envelope: { from: string; to: string };
  /** RFC 5322. */
  content: Buffer;
}

/** One connection, one mail, within its time. Never throws. */
export async function deliver(prepared: PreparedSmtp, mail: Mail, timeoutMs: number): Promise<Outcome> {
  const ends = performance.now() + timeoutMs;
  const { host, port, transport } = prepared;
  try {
    const { default: Connection } = await import('nodemailer/lib/smtp-connection');
    const { allowPrivateNetwork } = transport;
    const socket = await openSocket({ host, port, allowPrivateNetwork, timeoutMs });
    const { secure, requireTLS, tls } = prepared;
    const connection = new Connection({
      ...{ host, port, secure, requireTLS, tls, connection: socket, logger: false },
    });
    return await converse(connection, prepared, mail, Math.max(0, ends - performance.now()));
  } catch (error) {
    return { status: 'unavailable', reason: (error as Error).message };
  }
}

function converse(
  connection: SMTPConnection,
  { auth }: PreparedSmtp,
  { envelope, content }: Mail,
  timeoutMs: number,
): Promise<Outcome> {
  return new Promise((resolve) => {
    let begun = false;
    // Read only when the server has asked for the mail: what fails before that has surely sent nothing.
    const reading = new Readable({
      read() {
        begun = true;
        this.push(content);
        this.push(null);
      },
    });
    const finish = (outcome: Outcome) => {
      clearTimeout(timer);
      connection.close();
      resolve(outcome);
    };
    const fail = (error: SmtpFailure) => finish(outcomeOf(error, begun));
    const late = () => fail(new Error(`no whole answer within ${Math.round(timeoutMs)} ms`));
    const timer = setTimeout(late, timeoutMs);
    const send = () =>
      connection.send({ ...envelope, size: content.length }, reading, (error, info) => {
        if (error) fail(error);
        else
          finish({ status: 'accepted', gatewayId: /queued as ([\w.-]+)/i.exec(info.response)?.[1] ?? null });
      });
    connection.on('error', fail);
    connection.connect((error) => {
      if (error) fail(error);
      else if (auth === null) send();
      else connection.login({ credentials: auth }, (refusal) => (refusal ? fail(refusal) : send()));
    });
  });
}

/**
 * RFC 5321, section 4.2.1: 4yz is for now, 5yz for good. RFC 3463, section 3.8: x.7.z is about who sends, so another
 * server may still take it.
 */
function outcomeOf(error: SmtpFailure, begun: boolean): Outcome {
  const reason = error.message;
  const { code, command, responseCode = 0, response = '' } = error;
  const answered = code === 'EMESSAGE' && responseCode > 0;
  const refused = answered || (code === 'EENVELOPE' && command === 'RCPT TO');
  if (refused && responseCode >= 500 && !/^5\d\d[ -]5\.7\./.test(response)) {
    return { status: 'rejected', reason };
  }
  return { status: begun && !answered ? 'unknown' : 'unavailable', reason };
}
