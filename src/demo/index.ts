/**
 * The demonstration: what surrounds a gateway when someone tries it for the first time.
 *
 * Owns: a small relying party, written the way an application developer would write one (`relying-party.ts`);
 * a stand-in for an SMS gateway, a real HTTP server that receives the connector's requests (`sms-gateway.ts`);
 * and a client that behaves like a browser without scripts (`http-client.ts`).
 * Does not own: the command that runs them (`src/cli`), the demo's configuration (`config/demo`).
 * Nothing here is loaded by a gateway that serves a real configuration.
 */
export { banner } from './banner.ts';
export { type Browser, type BrowserPage, createBrowser } from './http-client.ts';
export { type OnceOptions, walkThrough } from './once.ts';
export { type RelyingParty, startRelyingParty } from './relying-party.ts';
export { type SmsGateway, startSmsGateway } from './sms-gateway.ts';
