import type { IncomingHttpHeaders } from "node:http2";

/** Node's form of header fields in the form of the web. Pseudo-headers are left out. */
export function toHeaders(fields: IncomingHttpHeaders | undefined, into = new Headers()): Headers {
  for (const name in fields) {
    const value = fields[name];
    if (value !== undefined && !name.startsWith(":")) {
      for (const item of Array.isArray(value) ? value : [value]) {
        into.append(name, item);
      }
    }
  }
  return into;
}
