import ipaddr from 'ipaddr.js';
import { keeping } from './memo.ts';

/** A sentence when the text is neither an address nor a network such as `10.0.0.0/8`, else null. */
export function networkFault(network: string): string | null {
  return rangeOf(network) === null ? `'${network}' is no address and no network such as 10.0.0.0/8` : null;
}

/** True when the address lies in one of the networks. An IPv4 address written as IPv6 counts as what it is. */
export function isWithin(address: string, networks: readonly string[]): boolean {
  if (!ipaddr.isValid(address)) return false;
  const one = ipaddr.process(address);
  return networks.some((network) => {
    const range = rangeOf(network);
    return range !== null && one.kind() === range[0].kind() && one.match(range);
  });
}

const rangeOf = keeping((network: string): [ipaddr.IPv4 | ipaddr.IPv6, number] | null => {
  // The library also takes 127.1 and 0x7f000001, which a reader of the file would not.
  const [address = '', ...rest] = network.split('/');
  const whole = ipaddr.IPv4.isValidFourPartDecimal(address) || ipaddr.IPv6.isValid(address);
  if (!whole || rest.length > 1) return null;
  if (rest.length === 1) return ipaddr.isValidCIDR(network) ? ipaddr.parseCIDR(network) : null;
  const one = ipaddr.parse(address);
  return [one, one.kind() === 'ipv4' ? 32 : 128];
});

/** True for the host part of a URL that can only mean this machine (RFC 8252, section 7.3; RFC 6761, section 6.3). */
export function isLoopback(hostname: string): boolean {
  return (
    hostname === 'localhost' ||
    hostname.endsWith('.localhost') ||
    hostname === '[::1]' ||
    /^127(?:\.\d{1,3}){3}$/u.test(hostname)
  );
}
