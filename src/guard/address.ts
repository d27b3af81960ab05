import ipaddr from 'ipaddr.js';
import { keeping } from '../lib/memo.ts';

/**
 * What counts as one network address: an IPv4 address, or the /64 that one household or phone has of IPv6 (whoever
 * holds it can use any address in it).
 */
export const addressKey = keeping((ip) => {
  if (!ipaddr.isValid(ip)) return ip;
  const address = ipaddr.process(ip);
  if (address.kind() === 'ipv4') return address.toString();
  return `${ipaddr.IPv6.networkAddressFromCIDR(`${address.toString()}/64`)}/64`;
});

/** The network around it: /24, or of IPv6 the /56 that providers give to one customer. */
export const networkKey = keeping((ip) => {
  if (!ipaddr.isValid(ip)) return ip;
  const address = ipaddr.process(ip);
  return address.kind() === 'ipv4'
    ? `${ipaddr.IPv4.networkAddressFromCIDR(`${address.toString()}/24`)}/24`
    : `${ipaddr.IPv6.networkAddressFromCIDR(`${address.toString()}/56`)}/56`;
});
