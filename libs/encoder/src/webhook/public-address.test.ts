import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isPublicAddress } from "./public-address.ts";

describe("isPublicAddress", () => {
  it.each([
    "8.8.8.8",
    "1.1.1.1",
    "93.184.215.14",
    "172.15.255.255",
    "172.32.0.1",
    "2606:4700:4700::1111",
    "2a00:1450::1",
  ])("takes %s", (address) => expect(isPublicAddress(address)).toBe(true));

  it.each([
    "0.0.0.0",
    "10.1.2.3",
    "100.64.0.1",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "198.18.0.1",
    "224.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "64:ff9b::7f00:1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "ff02::1",
    "",
    "localhost",
    "127.1",
    "0x7f000001",
  ])("refuses %s", (address) => expect(isPublicAddress(address)).toBe(false));

  it("never takes an address that holds a private one of IPv4", () => {
    const octet = fc.integer({ min: 0, max: 255 });
    fc.assert(
      fc.property(octet, octet, octet, (b, c, d) => {
        const hex = (high: number, low: number) => ((high << 8) | low).toString(16);
        for (const a of [10, 127]) {
          expect(isPublicAddress(`${a}.${b}.${c}.${d}`)).toBe(false);
          for (const form of ["::ffff:", "::", "64:ff9b::"]) {
            expect(isPublicAddress(`${form}${hex(a, b)}:${hex(c, d)}`)).toBe(false);
          }
          expect(isPublicAddress(`2002:${hex(a, b)}:${hex(c, d)}::1`)).toBe(false);
        }
      }),
    );
  });
});
