import { BlockList } from "node:net";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { forwardedAddress } from "./forwarded-address.ts";

const trusted = new BlockList();
trusted.addSubnet("10.0.0.0", 8, "ipv4");
trusted.addAddress("2001:db8::1", "ipv6");

describe("forwardedAddress", () => {
  it.each([
    ["a caller without a proxy", "192.0.2.7", null, "192.0.2.7"],
    ["a caller without a proxy who claims to be another", "192.0.2.7", "198.51.100.1", "192.0.2.7"],
    ["a proxy's caller", "10.0.0.1", "192.0.2.7", "192.0.2.7"],
    ["a proxy's caller who claims to be another", "10.0.0.1", "198.51.100.1, 192.0.2.7", "192.0.2.7"],
    ["a caller behind two proxies", "10.0.0.1", "198.51.100.1, 192.0.2.7,10.0.0.2", "192.0.2.7"],
    ["a caller by IPv6", "2001:db8::1", "2001:db8::7", "2001:db8::7"],
    ["one with a port", "10.0.0.1", "192.0.2.7:1234", "192.0.2.7"],
    ["one by IPv6 with a port", "10.0.0.1", "[2001:db8::7]:1234", "2001:db8::7"],
    ["a peer that comes mapped into IPv6", "::ffff:10.0.0.1", "192.0.2.7", "192.0.2.7"],
    ["the proxy itself", "10.0.0.1", null, "10.0.0.1"],
    ["nonsense", "10.0.0.1", "unknown", "10.0.0.1"],
    ["nonsense before a proxy", "10.0.0.1", "192.0.2.7, 1.2.3, 10.0.0.2", "10.0.0.2"],
    ["a call within the process", "", "192.0.2.7", ""],
  ])("%s", (_name, peer, header, address) => {
    expect(forwardedAddress(peer, header, trusted)).toBe(address);
  });

  it("is what the outermost proxy saw, whatever the caller wrote", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 500 }), fc.ipV4(), (claim, caller) => {
        fc.pre(!trusted.check(caller, "ipv4"));
        expect(forwardedAddress("10.0.0.1", `${claim}, ${caller}`, trusted)).toBe(caller);
        expect(forwardedAddress(caller, claim, trusted)).toBe(caller);
      }),
    );
  });
});
