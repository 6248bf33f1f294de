import type { Address } from "./endpoint/address.ts";
import { formatAddress } from "./endpoint/address.ts";

/** Where a service is. */
export type BaseUrl = {
  address: Address;
  secure: boolean;
  /** `:authority` of requests. */
  authority: string;
  /** What comes before the service's name in a path; empty, or without a slash at its end. */
  prefix: string;
};

/** Reads `http://host:port/prefix`, `https://…` or `unix:/path`. Throws a TypeError that says what is wrong. */
export function parseBaseUrl(text: string): BaseUrl {
  if (text.startsWith("unix:")) {
    const path = text.slice("unix:".length).replace(/^\/\/\//, "/");
    return { address: { path }, secure: false, authority: "localhost", prefix: "" };
  }
  const url = URL.parse(text);
  if (url === null || (url.protocol !== "http:" && url.protocol !== "https:")) {
    throw new TypeError(`${JSON.stringify(text)} isn't the address of a server, such as http://localhost:8080`);
  }
  const secure = url.protocol === "https:";
  const port = url.port === "" ? (secure ? 443 : 80) : Number(url.port);
  const address = { host: url.hostname.replace(/^\[|\]$/g, ""), port };
  return { address, secure, authority: formatAddress(address), prefix: url.pathname.replace(/\/+$/, "") };
}
