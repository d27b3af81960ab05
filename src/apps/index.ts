/**
 * Apps: the relying parties that send their users here.
 *
 * Owns the table `apps`, `apps.yaml`, and the rules for redirect addresses and client secrets. Secrets are kept only
 * as SHA-256 hashes, two at most, so that one can be replaced without a gap. What an app says is cached in memory
 * and read anew when the `apps` revision changes.
 * Not here: authenticating a client (oidc), the flow that an app names (flows).
 * Routes: none.
 */
export { hashSecret } from './secrets.ts';
export { appsSection } from './section.ts';
export { type AppsDeps, createApps } from './service.ts';
export { isRegisteredRedirect, startUrlOf, takesAnyPort } from './uris.ts';
