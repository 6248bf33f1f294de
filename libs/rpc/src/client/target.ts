import { isIP, isIPv6 } from "node:net";
import { domainToASCII } from "node:url";
import { type Address, authorityOf, formatAddress } from "./endpoint/address.ts";

/** Where calls go. */
export type Target = {
  /** As it was given, for messages. */
  name: string;
  /** Whether connections are made by TLS. */
  secure: boolean;
  /** What stands before the path of each call: "" or "/prefix". */
  prefix: string;
  /** `:authority` of requests: the name of the server, or the first of its addresses. */
  authority: string;
  /** Addresses that don't change, or a name that is looked up for them again and again. */
  source: { kind: "fixed"; addresses: readonly Address[] } | { kind: "dns"; host: string; port: number };
};

const forms = "http://host:port, https://host:port, dns:///host:port, static:///host1:port1,host2:port2 or unix:path";

// A socket's path has 108 bytes with its final zero: unix(7).
const longestPath = 107;

/**
 * Parses `http://host:port`, `https://host:port`, `dns:///host:port`, `static:///h1:p1,h2:p2`, `unix:path`, or a list of `host:port` and `unix:path`.
 * A port that isn't given is 443 with TLS and 80 without; an IPv6 address stands in brackets. Throws a TypeError that says what is wrong.
 */
export function parseTarget(given: string | readonly string[], tls: boolean): Target {
  const name = typeof given === "string" ? given : given.join(",");
  const fail = (what: string): never => {
    throw new TypeError(`can't call the target "${name}": ${what}`);
  };
  const fixed = (items: readonly string[]): Target => {
    const parsed = items.map((item) =>
      item.startsWith("unix:") ? unixAddress(item, fail) : tcpAddress(item, tls, fail),
    );
    const addresses = [...new Map(parsed.map((address) => [formatAddress(address), address])).values()];
    const [first = fail("the list of addresses is empty")] = addresses;
    return { name, secure: tls, prefix: "", authority: authorityOf(first), source: { kind: "fixed", addresses } };
  };

  if (typeof given !== "string") {
    return fixed(given);
  }
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(given)?.[1]?.toLowerCase();
  switch (scheme) {
    case "http":
    case "https":
      return webTarget(name, tls, fail);
    case "unix":
      return fixed([given]);
    case "static":
      return fixed(afterSlashes(given, fail).split(","));
    case "dns": {
      const address = tcpAddress(afterSlashes(given, fail), tls, fail);
      const authority = authorityOf(address);
      // An address needs no lookup.
      return isIP(address.host) === 0
        ? { name, secure: tls, prefix: "", authority, source: { kind: "dns", ...address } }
        : fixed([authority]);
    }
    default:
      return fail(`it must look like ${forms}`);
  }
}

type Fail = (what: string) => never;

function webTarget(name: string, tls: boolean, fail: Fail): Target {
  const url = URL.parse(name);
  if (url === null || !/^https?:\/\//i.test(name)) {
    return fail("it isn't a valid URL");
  }
  if (url.username !== "" || url.password !== "") {
    // The whole target would show the password.
    throw new TypeError("can't call a target with a user or password in it: give the transport a token instead");
  }
  if (url.search !== "" || url.hash !== "") {
    fail("it must end after its path, without ? or #");
  }
  const secure = url.protocol === "https:";
  if (tls && !secure) {
    fail("there are TLS options, so it must start with https://");
  }
  return {
    name,
    secure,
    prefix: url.pathname.replace(/\/+$/, ""),
    authority: url.host,
    source: { kind: "fixed", addresses: [tcpAddress(url.host, secure, fail)] },
  };
}

function afterSlashes(given: string, fail: Fail): string {
  const rest = /^[a-z]+:\/\/\/(.*)$/is.exec(given)?.[1];
  return rest ?? fail("there must be three slashes after the first colon");
}

function unixAddress(item: string, fail: Fail): Address {
  const path = item.slice("unix:".length).replace(/^\/\/(?=\/)/, "");
  if (path === "" || path.includes("\0") || path.startsWith("//")) {
    return fail("unix: must be followed by the path of a socket");
  }
  if (Buffer.byteLength(path) > longestPath) {
    return fail(`the path of a socket can't be longer than ${longestPath} bytes`);
  }
  return { path };
}

function tcpAddress(text: string, tls: boolean, fail: Fail): { host: string; port: number } {
  if (/^[0-9a-f]*:[0-9a-f:.]*:/i.test(text)) {
    fail(`an IPv6 address stands in brackets, as in [::1]:8080`);
  }
  const [, v6, name = "", digits] =
    /^(?:\[([^\]]*)\]|([^:[\]/]*))(?::([0-9]*))?$/.exec(text) ?? fail(`"${text}" must look like host:port`);
  if (v6 !== undefined && !isIPv6(v6)) {
    fail(`"${v6}" is no IPv6 address`);
  }
  const host = v6 ?? domainToASCII(name);
  if (host === "" || /[^a-z0-9._-]/i.test(v6 === undefined ? host : "")) {
    fail(name === "" ? "a host is missing" : `"${name}" is no host name`);
  }
  if (digits === "") {
    fail("a port must follow the last colon");
  }
  const standard = tls ? 443 : 80;
  const port = digits === undefined ? standard : Number(digits);
  if (port < 1 || port > 65_535) {
    fail(`${digits} is no port: it must be from 1 to 65535`);
  }
  return { host, port };
}
