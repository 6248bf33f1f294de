import { BlockList, isIP } from "node:net";

// IANA's special-purpose registries (RFC 6890 and its updates): everything that isn't an address of the public internet.
const special4 = new BlockList();
for (const [net, bits] of [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16], // with the metadata services of clouds
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 3], // multicast, reserved and broadcast
] as const) {
  special4.addSubnet(net, bits, "ipv4");
}

// Of IPv6 only this is in use for the public internet: that leaves out the forms that hold an IPv4 address (::ffff:0:0/96, 64:ff9b::/96) …
const global6 = new BlockList();
global6.addSubnet("2000::", 3, "ipv6");
const special6 = new BlockList();
for (const [net, bits] of [
  ["2001::", 23],
  ["2001:db8::", 32],
  ["2002::", 16], // … and 6to4, which does as well
  ["3fff::", 20],
] as const) {
  special6.addSubnet(net, bits, "ipv6");
}

/** Whether an IP address belongs to the public internet: not to this machine, its network, or anything else that has a special meaning. */
export function isPublicAddress(address: string): boolean {
  const family = isIP(address);
  if (family === 4) return !special4.check(address, "ipv4");
  return family === 6 && global6.check(address, "ipv6") && !special6.check(address, "ipv6");
}
