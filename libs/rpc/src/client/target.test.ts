import { isIPv6 } from "node:net";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseTarget } from "./target.ts";

function addresses(given: string | readonly string[], tls = false) {
  const { source } = parseTarget(given, tls);
  return source.kind === "fixed" ? source.addresses : source;
}

describe("parseTarget", () => {
  it.each([
    ["http://api:8080", [{ host: "api", port: 8080 }]],
    ["http://api", [{ host: "api", port: 80 }]],
    ["https://api", [{ host: "api", port: 443 }]],
    ["HTTP://Api:81/", [{ host: "api", port: 81 }]],
    ["http://[::1]:8080", [{ host: "::1", port: 8080 }]],
    ["http://münchen.example:1", [{ host: "xn--mnchen-3ya.example", port: 1 }]],
    [
      "static:///a:1,b:2,a:1,[::1]:3",
      [
        { host: "a", port: 1 },
        { host: "b", port: 2 },
        { host: "::1", port: 3 },
      ],
    ],
    ["static:///a", [{ host: "a", port: 80 }]],
    ["unix:/run/kinora.sock", [{ path: "/run/kinora.sock" }]],
    ["unix:///run/kinora.sock", [{ path: "/run/kinora.sock" }]],
    ["unix:kinora.sock", [{ path: "kinora.sock" }]],
    [
      ["a:1", "unix:b"],
      [{ host: "a", port: 1 }, { path: "b" }],
    ],
    ["dns:///127.0.0.1:9", [{ host: "127.0.0.1", port: 9 }]],
    ["dns:///[::1]:9", [{ host: "::1", port: 9 }]],
    ["dns:///my_service.ns:9", { kind: "dns", host: "my_service.ns", port: 9 }],
    ["dns:///my-service", { kind: "dns", host: "my-service", port: 80 }],
  ])("reads %s", (given, expected) => {
    expect(addresses(given)).toEqual(expected);
  });

  it("knows the name that the server is asked for by", () => {
    expect(parseTarget("dns:///api", false).authority).toBe("api:80");
    expect(parseTarget("https://api", false).authority).toBe("api");
    expect(parseTarget("https://[::1]:8443/x", false).authority).toBe("[::1]:8443");
    expect(parseTarget("static:///a:1,b:2", false).authority).toBe("a:1");
    expect(parseTarget("unix:/run/x.sock", false).authority).toBe("localhost");
  });

  it("takes 443 for a port with TLS, and keeps a prefix", () => {
    expect(addresses("dns:///api", true)).toMatchObject({ port: 443 });
    expect(addresses(["api"], true)).toEqual([{ host: "api", port: 443 }]);
    expect(parseTarget("https://api/v1/", false)).toMatchObject({ secure: true, prefix: "/v1" });
    expect(parseTarget("http://api", false)).toMatchObject({ secure: false, prefix: "" });
  });

  it.each([
    ["", /must look like http:\/\//],
    ["localhost:8080", /must look like http:\/\//],
    ["ftp://api", /must look like http:\/\//],
    ["http://", /isn't a valid URL/],
    ["http:api", /isn't a valid URL/],
    ["http://api:99999", /isn't a valid URL/],
    ["http://api:0", /0 is no port: it must be from 1 to 65535/],
    ["http://api?x", /without \? or #/],
    ["dns://api:80", /three slashes/],
    ["dns:///", /a host is missing/],
    ["dns:///a b", /"a b" is no host name/],
    ["dns:///api:", /a port must follow/],
    ["dns:///api:http", /"api:http" must look like host:port/],
    ["dns:///api:65536", /65536 is no port/],
    ["dns:///::1", /in brackets/],
    ["dns:///::1:80", /in brackets/],
    ["dns:///[::1", /must look like host:port/],
    ["dns:///[api]:80", /"api" is no IPv6 address/],
    ["static:///a:1,,b:2", /a host is missing/],
    ["static:///a/b", /must look like host:port/],
    ["unix:", /path of a socket/],
    [`unix:/${"x".repeat(107)}`, /longer than 107 bytes/],
    [[], /list of addresses is empty/],
    [["http://a"], /must look like host:port/],
  ])("refuses %j", (given, expected) => {
    expect(() => parseTarget(given, false)).toThrow(expected);
  });

  it("refuses http:// with TLS options, and never repeats a password", () => {
    expect(() => parseTarget("http://api", true)).toThrow(/must start with https/);
    expect(() => parseTarget("https://me:secret@api", false)).toThrow(/^(?!.*secret).*token/);
  });

  it("reads every list of addresses that is written right", () => {
    const host = fc.oneof(
      fc.domain(),
      fc.ipV4(),
      fc
        .ipV6()
        .filter(isIPv6)
        .map((address) => `[${address}]`),
    );
    const port = fc.integer({ min: 1, max: 65_535 });
    fc.assert(
      fc.property(fc.array(fc.tuple(host, port), { minLength: 1, maxLength: 5 }), (list) => {
        const items = list.map(([name, number]) => `${name}:${number}`);
        const expected = new Map(
          list.map(([name, number]) => [`${name}:${number}`, { host: name.replace(/[[\]]/g, ""), port: number }]),
        );
        expect(addresses(items)).toEqual([...expected.values()]);
        expect(addresses(`static:///${items.join(",")}`)).toEqual(addresses(items));
      }),
    );
  });

  it("answers anything with a target or a TypeError", () => {
    const piece = fc.constantFrom(
      "http:",
      "dns:",
      "static:",
      "unix:",
      "//",
      "/",
      ":",
      "[",
      "]",
      "::1",
      "a",
      "80",
      ",",
      "@",
      "?",
      " ",
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(piece).map((pieces) => pieces.join("")),
        ),
        (given) => {
          try {
            const { source } = parseTarget(given, false);
            expect(source.kind === "dns" || source.addresses.length > 0).toBe(true);
          } catch (error) {
            expect(error).toBeInstanceOf(TypeError);
          }
        },
      ),
    );
  });
});
