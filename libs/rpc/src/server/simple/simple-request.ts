import { RequestFields } from "../../http2/request-fields.ts";

/** The head of a request over HTTP/1.1, and how many bytes it and its body have. */
export type SimpleHead = { fields: RequestFields; headBytes: number; bodyBytes: number };

/** How much a head may be. */
export type HeadLimits = { headerBytes: number; headerFields: number };

const requestLine = /^POST (\/[\w./-]*) HTTP\/1\.1$/;
// Names and values with nothing that two readers could understand differently: no folding, no blanks around names, no controls, nothing beyond ASCII.
const headerLine = /^([A-Za-z][\w-]*): ?([\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?)$/;
const length = /^(?:0|[1-9]\d{0,8})$/;

/** What says something of the connection, or of where the body ends. */
const special: ReadonlySet<string> = new Set([
  "connection",
  "expect",
  "http2-settings",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/**
 * Reads the head of a request that is beyond doubt simple: a POST to a plain path, in lines that every reader of HTTP understands alike, with one Host and one Content-Length. Undefined
 * for everything else, right or wrong, which is Node's to judge: there is no second opinion about what isn't simple. `head` is without its last empty line.
 */
export function simpleHead(head: string, limits: HeadLimits): SimpleHead | undefined {
  const lines = head.split("\r\n");
  const path = requestLine.exec(lines[0] ?? "")?.[1];
  if (path === undefined || lines.length - 1 > limits.headerFields || head.length > limits.headerBytes) {
    return undefined;
  }
  const list: string[] = [];
  let hosts = 0;
  let bodyBytes: number | undefined;
  for (let i = 1; i < lines.length; i++) {
    const found = headerLine.exec(lines[i] ?? "");
    if (found === null) {
      return undefined;
    }
    const name = (found[1] ?? "").toLowerCase();
    const value = found[2] ?? "";
    if (name === "content-length") {
      if (bodyBytes !== undefined || !length.test(value)) {
        return undefined;
      }
      bodyBytes = Number(value);
    } else if (name === "host") {
      hosts++;
    } else if (special.has(name) && !(name === "connection" && value.toLowerCase() === "keep-alive")) {
      return undefined;
    }
    list.push(name, value);
  }
  if (hosts !== 1 || bodyBytes === undefined) {
    return undefined;
  }
  return {
    fields: new RequestFields(list, "POST", path, bodyBytes),
    headBytes: head.length + endOfHead.length,
    bodyBytes,
  };
}

/** What follows on a head. */
export const endOfHead = "\r\n\r\n";
