import { createHmac, timingSafeEqual } from "node:crypto";

/** What a signed address permits. */
export type Grant = {
  method: "GET" | "PUT";
  key: string;
  /** Unix time in seconds. */
  expires: number;
  /** The most bytes a PUT may bring; absent for a GET. */
  maxBytes?: number;
};

/** The query of a signed address: the grant without its key (which is the path), and its HMAC-SHA256. */
export function signGrant(secret: Uint8Array, grant: Grant): URLSearchParams {
  return new URLSearchParams({
    method: grant.method,
    expires: String(grant.expires),
    ...(grant.maxBytes === undefined ? {} : { limit: String(grant.maxBytes) }),
    signature: digest(secret, grant).toString("base64url"),
  });
}

/** The grant of an address, if its signature is right and it hasn't expired. `now` is Unix time in seconds. */
export function verifyGrant(
  secret: Uint8Array,
  key: string,
  query: URLSearchParams,
  now: number,
): Grant | "expired" | "forged" {
  const method = query.get("method");
  const expires = wholeNumber(query.get("expires"));
  const limit = query.get("limit");
  const maxBytes = limit === null ? undefined : wholeNumber(limit);
  if ((method !== "GET" && method !== "PUT") || expires === undefined) return "forged";
  if (limit !== null && maxBytes === undefined) return "forged";
  const grant: Grant = { method, key, expires, ...(maxBytes === undefined ? {} : { maxBytes }) };
  const given = Buffer.from(query.get("signature") ?? "", "base64url");
  const right = digest(secret, grant);
  if (given.length !== right.length || !timingSafeEqual(given, right)) return "forged";
  return expires > now ? grant : "expired";
}

// Keys have no line breaks, so no two grants are signed as the same text.
function digest(secret: Uint8Array, grant: Grant): Buffer {
  const text = ["kinora-object-v1", grant.method, grant.key, grant.expires, grant.maxBytes ?? ""].join("\n");
  return createHmac("sha256", secret).update(text).digest();
}

function wholeNumber(text: string | null): number | undefined {
  return text !== null && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}
