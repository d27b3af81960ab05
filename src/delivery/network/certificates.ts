import { createPrivateKey, X509Certificate } from 'node:crypto';
import type { Fault } from '../../lib/problem.ts';

const blocks = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/**
 * What is wrong with certificates and their key, which otherwise nobody would hear of before the first message. What is
 * not known yet (a secret behind a placeholder, a reference that is reported elsewhere) is not looked at.
 */
export function certificateFaults(given: { ca?: string; cert?: string; key?: string }): Fault[] {
  const known = Object.fromEntries(
    Object.entries(given).filter(([, pem]) => !pem.includes('${')),
  ) as typeof given;
  const { key } = known;
  const faults = (['ca', 'cert'] as const).flatMap((member) => {
    const pem = known[member];
    return pem === undefined || certificatesIn(pem) !== null
      ? []
      : [{ path: `tls.${member}`, message: 'is no certificate in PEM' }];
  });
  const privateKey = key === undefined ? undefined : keyIn(key);
  if (privateKey === null) {
    faults.push({ path: 'tls.key', message: 'is no private key in PEM, or one with a passphrase' });
  }
  const shown = known.cert === undefined ? undefined : certificatesIn(known.cert)?.[0];
  if (shown && privateKey && !shown.checkPrivateKey(privateKey)) {
    faults.push({ path: 'tls.key', message: 'is not the key of tls.cert' });
  }
  return faults;
}

/** Null where there is none, or one that cannot be read. */
function certificatesIn(pem: string): X509Certificate[] | null {
  try {
    const found = pem.match(blocks)?.map((block) => new X509Certificate(block));
    return found ?? null;
  } catch {
    return null;
  }
}

function keyIn(pem: string): ReturnType<typeof createPrivateKey> | null {
  try {
    return createPrivateKey(pem);
  } catch {
    return null;
  }
}
