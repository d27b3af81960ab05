import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { createServer as createTlsServer, TLSSocket } from 'node:tls';
import type { Test } from 'tap';

/** What the server says to a command, by its verb; `.` is the end of a mail, `connect` the greeting. */
export type Replies = Record<string, string | ((socket: Socket) => void)>;

export interface SmtpServer {
  port: number;
  /** Every command, and each mail as one entry. */
  heard: string[];
  replies: Replies;
}

const fixture = (name: string) => readFileSync(new URL(`../fixtures/${name}`, import.meta.url));
const certificate = { cert: fixture('localhost.cert.pem'), key: fixture('localhost.key.pem') };

const normal: Replies = {
  connect: '220 mail.example ESMTP',
  EHLO: '250-mail.example\r\n250-STARTTLS\r\n250-AUTH PLAIN LOGIN\r\n250 8BITMIME',
  STARTTLS: '220 go on',
  AUTH: '235 welcome',
  MAIL: '250 ok',
  RCPT: '250 ok',
  DATA: '354 go on',
  '.': '250 2.0.0 Ok: queued as 4F1B2',
  QUIT: '221 bye',
};

/** A mail server that does as it is told. */
export async function startSmtp(t: Test, options: { tls?: boolean } = {}): Promise<SmtpServer> {
  const told: SmtpServer = { port: 0, heard: [], replies: {} };
  const sockets = new Set<Socket>();
  const accept = (socket: Socket) => {
    sockets.add(socket);
    serve(socket, told);
    say(socket, told, 'connect');
  };
  const server = options.tls ? createTlsServer(certificate, accept) : createServer(accept);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  told.port = (server.address() as AddressInfo).port;
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return told;
}

function say(socket: Socket, { replies }: SmtpServer, verb: string): void {
  const reply = replies[verb] ?? normal[verb] ?? '502 what?';
  if (typeof reply === 'function') reply(socket);
  else socket.write(`${reply}\r\n`);
}

function serve(socket: Socket, told: SmtpServer): void {
  let read = '';
  let inMail = false;
  socket.on('error', () => undefined);
  socket.on('data', function listen(chunk) {
    read += chunk.toString('utf8');
    for (;;) {
      const end = inMail ? '\r\n.\r\n' : '\r\n';
      const at = read.indexOf(end);
      if (at < 0) return;
      const heard = read.slice(0, at);
      read = read.slice(at + end.length);
      told.heard.push(heard);
      const verb = inMail ? '.' : (heard.split(' ')[0] ?? '').toUpperCase();
      inMail = verb === 'DATA' && told.replies.DATA === undefined;
      say(socket, told, verb);
      if (verb === 'STARTTLS' && told.replies.STARTTLS === undefined) {
        socket.off('data', listen);
        serve(new TLSSocket(socket, { isServer: true, ...certificate }), told);
        return;
      }
    }
  });
}
