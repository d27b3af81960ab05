import { connect, isIP, type Socket } from 'node:net';
import { AddressRefused, isPublicAddress, publicLookup } from './addresses.ts';

export interface SocketOptions {
  host: string;
  port: number;
  /** Lifts the check of addresses, for a peer in a private network. */
  allowPrivateNetwork: boolean;
  timeoutMs: number;
}

/**
 * A connection for what is not HTTP, under the same rules: to public addresses only, checked when it is made. Throws when
 * there is none in time.
 */
export function openSocket({ host, port, allowPrivateNetwork, timeoutMs }: SocketOptions): Promise<Socket> {
  return new Promise((resolve, reject) => {
    if (!allowPrivateNetwork && isIP(host) !== 0 && !isPublicAddress(host)) {
      reject(new AddressRefused(host));
      return;
    }
    const socket = connect({ host, port, ...(!allowPrivateNetwork && { lookup: publicLookup() }) });
    const end = (error: Error) => {
      clearTimeout(timer);
      socket.destroy();
      reject(error);
    };
    const timer = setTimeout(
      () => end(new Error(`no connection within ${Math.round(timeoutMs)} ms`)),
      timeoutMs,
    );
    socket.once('error', end);
    socket.once('connect', () => {
      clearTimeout(timer);
      socket.off('error', end);
      resolve(socket);
    });
  });
}
