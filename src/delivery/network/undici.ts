import { createRequire } from 'node:module';
import type * as Undici from 'undici';

/*
 * What sends requests, by the files in which it stands: the library's door opens a hundred more, for `fetch`, web
 * sockets, caches and mocks, and every start would load them. The package is pinned and names these files itself.
 */
const require = createRequire(import.meta.url);

export const Agent = require('undici/lib/dispatcher/agent.js') as typeof Undici.Agent;
export const buildConnector = require('undici/lib/core/connect.js') as typeof Undici.buildConnector;

/** Opens tunnels by methods that only the whole library gives it. */
export const createProxyAgent = (options: Undici.ProxyAgent.Options): Undici.ProxyAgent =>
  new (require('undici') as typeof Undici).ProxyAgent(options);
