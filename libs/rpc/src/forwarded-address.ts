import { type BlockList, isIP } from "node:net";
import type { Interceptor } from "@connectrpc/connect";
import { clientAddressKey } from "./client-address.ts";

/** Addresses of `X-Forwarded-For` that are looked at, from its end: as many proxies as nobody has in a row. */
const mostHops = 20;

/**
 * The address of whoever called a proxy of ours: the last one in `X-Forwarded-For` that isn't a trusted proxy's, as each adds its own caller at the end, and what stands before that anybody can
 * have written. A peer that isn't trusted says nothing about others; nor does what can't be read.
 */
export function forwardedAddress(peer: string, forwardedFor: string | null, trusted: BlockList): string {
  const hops = (forwardedFor ?? "").split(",").slice(-mostHops);
  let address = peer;
  while (isTrusted(address, trusted)) {
    const hop = plainAddress(hops.pop() ?? "");
    if (hop === undefined) return address;
    address = hop;
  }
  return address;
}

/** Has handlers see the callers of these proxies instead of the proxies. Add it to a server's interceptors. */
export function trustProxies(trusted: BlockList): Interceptor {
  return (next) => (request) => {
    const peer = request.contextValues.get(clientAddressKey);
    const address = forwardedAddress(peer, request.header.get("x-forwarded-for"), trusted);
    request.contextValues.set(clientAddressKey, address);
    return next(request);
  };
}

function isTrusted(address: string, trusted: BlockList): boolean {
  const family = isIP(address);
  return family !== 0 && trusted.check(address, family === 4 ? "ipv4" : "ipv6");
}

/** An address as proxies write it, some with a port: `192.0.2.7`, `192.0.2.7:1234`, `2001:db8::7`, `[2001:db8::7]:1234`; undefined for anything else. */
function plainAddress(text: string): string | undefined {
  const trimmed = text.trim();
  const bare = /^\[([^\]]+)\](?::\d+)?$/.exec(trimmed)?.[1] ?? /^([\d.]+):\d+$/.exec(trimmed)?.[1] ?? trimmed;
  return isIP(bare) === 0 ? undefined : bare;
}
