import { type LookupAddress, lookup as systemLookup } from 'node:dns';
import type { LookupFunction } from 'node:net';
import ipaddr from 'ipaddr.js';

/** Why a connection was refused before it was made. */
export class AddressRefused extends Error {
  readonly code = 'ERR_ADDRESS_REFUSED';

  constructor(host: string) {
    super(`${host} stands in a private, local or reserved network (allowPrivateNetwork permits it)`);
    this.name = 'AddressRefused';
  }
}

/** Public by its range, but only a cloud's own metadata service answers there. */
const metadata = ['168.63.129.16'];
const globalUnicast = ipaddr.parseCIDR('2000::/3') as [ipaddr.IPv6, number];

/**
 * Whether a literal address is one of the public internet. IPv4 inside IPv6 (mapped, NAT64 of RFC 6052) counts as what
 * it carries; of IPv6 itself only the global unicast block, because every other range is local, reserved or obsolete.
 */
export function isPublicAddress(address: string): boolean {
  if (!ipaddr.isValid(address)) return false;
  const parsed = ipaddr.parse(address);
  if (parsed.kind() === 'ipv4') return isPublicIpv4(parsed as ipaddr.IPv4);
  const six = parsed as ipaddr.IPv6;
  if (six.isIPv4MappedAddress()) return isPublicIpv4(six.toIPv4Address());
  if (six.range() === 'rfc6052' && six.parts[2] === 0) {
    return isPublicIpv4(new ipaddr.IPv4(six.toByteArray().slice(12)));
  }
  return six.range() === 'unicast' && six.match(globalUnicast);
}

const isPublicIpv4 = (address: ipaddr.IPv4): boolean =>
  address.range() === 'unicast' && !metadata.includes(address.toString());

/** The part of `dns.lookup` that is used, so that a test can answer in its place. */
export type Resolve = (
  host: string,
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

const systemResolve: Resolve = (host, callback) => systemLookup(host, { all: true }, callback);

/**
 * A `lookup` for sockets that answers public addresses only. The socket connects to what this very call has checked,
 * so that a name cannot resolve to something else a moment later.
 */
export function publicLookup(resolve: Resolve = systemResolve): LookupFunction {
  return (host, options, callback) => {
    resolve(host, (error, addresses) => {
      if (error !== null) return callback(error, []);
      const allowed = addresses.filter(({ address }) => isPublicAddress(address));
      const first = allowed[0];
      if (first === undefined) return callback(new AddressRefused(host), []);
      if (options.all) callback(null, allowed);
      else callback(null, first.address, first.family);
    });
  };
}
