/** Where a server listens: a host and port, or the path of a Unix socket. */
export type Address = { host: string; port: number } | { path: string };

/** The address as people write it: `host:port`, or the path. IPv6 hosts are put in brackets. */
export function formatAddress(address: Address): string {
  if ("path" in address) {
    return address.path;
  }
  const host = address.host.includes(":") ? `[${address.host}]` : address.host;
  return `${host}:${address.port}`;
}

/** What `:authority` says where nobody says otherwise. */
export function authorityOf(address: Address): string {
  return "path" in address ? "localhost" : formatAddress(address);
}
