import { isLoopback } from '../../lib/network.ts';

const most = 10;

/**
 * The address that an app sent beside those that are registered for it, for whoever has to find the difference. The
 * page can be had by anyone who knows a client_id: it shows no query (keys stand there sometimes), and no host of an
 * inner network unless that is where the address sent leads to.
 */
export function besideRegistered(member: string, sent: string, registered: readonly string[]): string {
  const host = URL.parse(sent)?.hostname;
  const shown = registered.filter((uri) => {
    const own = URL.parse(uri)?.hostname ?? '';
    return own === host || !isInner(own);
  });
  const lines = shown.slice(0, most).map((uri) => `  ${uri.replace(/\?.*$/u, '?…')}`);
  const rest = registered.length - lines.length;
  if (rest > 0) lines.push(`  + ${rest}`);
  return [`${member}:`, `  ${sent}`, 'registered:', ...lines].join('\n');
}

/** Names and addresses that mean something inside a network only. Of apps on the device itself nothing is learnt. */
function isInner(hostname: string): boolean {
  if (hostname === '' || isLoopback(hostname)) return false;
  if (hostname.startsWith('[') || /^[\d.]+$/u.test(hostname)) return true;
  return (
    !hostname.includes('.') || /\.(?:internal|intranet|local|lan|corp|home|private|arpa)$/u.test(hostname)
  );
}
