/**
 * A gateway for text messages that takes everything: it finds where a request ends and answers, and parses nothing else,
 * so that whoever sends is what is measured.
 */
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';

const body = '{"id":"0123456789abcdef","status":"queued"}';
const answer = Buffer.from(
  [
    'HTTP/1.1 202 Accepted',
    'Content-Type: application/json',
    'Date: Sun, 01 Mar 2026 10:00:00 GMT',
    'Connection: keep-alive',
    `Content-Length: ${body.length}`,
    '',
    body,
  ].join('\r\n'),
);
const endOfHead = Buffer.from('\r\n\r\n');

const server = createServer({ noDelay: true }, (socket) => {
  let pending = Buffer.alloc(0);
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk) => {
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
    for (;;) {
      const head = pending.indexOf(endOfHead);
      if (head < 0) return;
      const length = /\r\ncontent-length: (\d+)/i.exec(pending.toString('latin1', 0, head))?.[1];
      const end = head + endOfHead.length + Number(length ?? 0);
      if (pending.length < end) return;
      pending = pending.subarray(end);
      socket.write(answer);
    }
  });
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');
process.on('disconnect', () => process.exit());
process.send?.({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
