import { isIP } from 'node:net';
import tls from 'node:tls';
import type { buildConnector as Connectors, Dispatcher } from 'undici';
import { AddressRefused, isPublicAddress, publicLookup, type Resolve } from './addresses.ts';
import { Agent, buildConnector, createProxyAgent } from './undici.ts';

export interface EgressOptions {
  /** Lifts the check of addresses, for a peer in a private network. */
  allowPrivateNetwork: boolean;
  /** PEM. `ca` is trusted beside the system's roots; `cert` and `key` are shown to the peer. */
  tls?: { ca?: string; cert?: string; key?: string };
  /** An HTTP proxy. It resolves names itself, so its own rules replace the check of addresses. */
  proxy?: string | null;
  /** Default 5 s; name lookup and TLS included. */
  connectTimeoutMs?: number;
  /** Answers in place of the system's resolver. */
  resolve?: Resolve;
}

/** Connections to one peer at a time, so that one that hangs cannot take every socket of the process. */
const MAX_CONNECTIONS = 256;
const CONNECT_TIMEOUT_MS = 5_000;

/**
 * The way out for every request that leaves: a keep-alive pool that connects to public addresses only, checked when
 * the connection is made. Speaks HTTP/1.1. Close it when it is of no more use.
 */
export function createEgress(options: EgressOptions): Dispatcher {
  const timeout = options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS;
  const secure = secureOptions(options.tls);
  if (options.proxy) {
    return createProxyAgent({
      uri: options.proxy,
      connections: MAX_CONNECTIONS,
      allowH2: false,
      requestTls: { ...secure, timeout, allowH2: false },
      proxyTls: { timeout, allowH2: false },
      connectTimeout: timeout,
    });
  }
  return new Agent({ connect: createConnect(options), connections: MAX_CONNECTIONS });
}

/** Opens single connections under the same rules. Knows no proxy. */
export function createConnect(options: EgressOptions): Connectors.connector {
  const timeout = options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS;
  const base = { ...secureOptions(options.tls), timeout, allowH2: false };
  return options.allowPrivateNetwork
    ? buildConnector(base)
    : guarded(buildConnector({ ...base, lookup: publicLookup(options.resolve) }));
}

/** Sockets look up names only: literal addresses are checked here. */
function guarded(connect: Connectors.connector): Connectors.connector {
  return (options, callback) => {
    const host = options.hostname.replace(/^\[(.*)\]$/, '$1');
    if (isIP(host) !== 0 && !isPublicAddress(host)) callback(new AddressRefused(host), null);
    else connect(options, callback);
  };
}

/** Given roots would replace the system's: they are added instead. */
export function secureOptions(given: EgressOptions['tls']): tls.SecureContextOptions {
  if (given === undefined) return {};
  const { ca, cert, key } = given;
  return {
    ...(ca === undefined ? {} : { ca: [...tls.getCACertificates('default'), ca] }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  };
}
