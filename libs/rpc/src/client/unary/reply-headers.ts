import type { IncomingHttpHeaders } from "node:http2";

/** Node's form of header fields in the form of the web. Pseudo-headers are left out. */
export function toHeaders(fields: IncomingHttpHeaders | undefined, into = new Headers()): Headers {
  for (const name in fields) {
    const value = fields[name];
    if (value !== undefined && !name.startsWith(":")) {
      for (const item of Array.isArray(value) ? value : [value]) {
        into.append(name, name === "grpc-message" ? decodable(item) : item);
      }
    }
  }
  return into;
}

/** A status message that can be decoded: what isn't percent-encoded as it should be stands for itself, where Connect would throw a URIError. */
export function decodable(message: string): string {
  try {
    decodeURIComponent(message);
    return message;
  } catch {
    return encodeURIComponent(message);
  }
}
