import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import helmet from 'helmet';

const ONE_YEAR_SECONDS = 365 * 24 * 60 * 60;

/** Headers of every answer, names and values. They depend on nothing that is asked, so they are made once. */
export function securityHeaders(issuer: URL): [string, string][] {
  const response = new ServerResponse(new IncomingMessage(new Socket()));
  helmet(policies(issuer))(response.req, response, () => undefined);
  return Object.entries(response.getHeaders()).map(([name, value]) => [name, String(value)]);
}

/**
 * Left out on purpose: `form-action`, because Chromium also applies it to the redirect
 * that takes a form's sender back to the app; `upgrade-insecure-requests`, because http on loopback would break.
 */
function policies(issuer: URL): Parameters<typeof helmet>[0] {
  return {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        scriptSrc: ["'self'"],
        styleSrc: ["'self'"],
        // Logos of apps live on the apps' own hosts.
        imgSrc: ["'self'", 'https:', 'data:'],
        connectSrc: ["'self'"],
        baseUri: ["'none'"],
        frameAncestors: ["'none'"],
      },
    },
    // Not `no-referrer`: with it browsers send `Origin: null` along with our own forms (Fetch, "serializing a
    // request origin"), and the check of forms could not tell them from others.
    referrerPolicy: { policy: 'same-origin' },
    // Single-page applications sign in through a pop-up and wait for it; the policy would cut the two apart.
    crossOriginOpenerPolicy: false,
    crossOriginResourcePolicy: { policy: 'same-origin' },
    crossOriginEmbedderPolicy: false,
    xFrameOptions: { action: 'deny' },
    strictTransportSecurity:
      issuer.protocol === 'https:' ? { maxAge: ONE_YEAR_SECONDS, includeSubDomains: false } : false,
  };
}
