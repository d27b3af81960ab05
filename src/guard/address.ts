import ipaddr from 'ipaddr.js';

/**
 * What counts as one network address: an IPv4 address, or the /64 that one household or phone has of IPv6 (whoever
 * holds it can use any address in it).
 */
export function addressKey(ip: string): string {
  if (!ipaddr.isValid(ip)) return ip;
  const address = ipaddr.process(ip);
  if (address.kind() === 'ipv4') return address.toString();
  return `${ipaddr.IPv6.networkAddressFromCIDR(`${address.toString()}/64`)}/64`;
}
