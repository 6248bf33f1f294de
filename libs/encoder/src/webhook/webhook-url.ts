import { isIP } from "node:net";
import { isPublicAddress } from "./public-address.ts";

/** Where webhooks may go: `public`, by https to addresses of the public internet, or `any`. */
export type WebhookTargets = "public" | "any";

/** Why an address can't be one of a webhook; undefined if it can, as far as it says itself: what its name stands for is asked at each attempt. */
export function webhookUrlFault(text: string, targets: WebhookTargets): string | undefined {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== "https:" && url.protocol !== "http:")) {
    return "must be an address such as https://example.org/hook";
  }
  if (url.username !== "" || url.password !== "") return "must not contain a user or a password";
  if (url.hash !== "") return "must not contain a fragment";
  if (targets === "any") return undefined;
  if (url.protocol !== "https:") return "must begin with https:";
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const isLocal = isIP(host) === 0 ? isLocalName(host) : !isPublicAddress(host);
  return isLocal ? "must be reachable from the public internet" : undefined;
}

function isLocalName(host: string): boolean {
  return !host.includes(".") || /(^|\.)(localhost|local|internal|localdomain|home\.arpa)\.?$/i.test(host);
}
