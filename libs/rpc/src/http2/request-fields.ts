import type { IncomingHttpHeaders } from "node:http2";

/** The header fields of a request, which are what HTTP/2 wants them to be (RFC 9113, section 8.3). Not to be changed: requests with the same headers may share it. */
export class RequestFields {
  /** Names and values in turn, pseudo-headers first. */
  readonly list: readonly string[];
  readonly method: string;
  readonly path: string;
  /** Bytes that the body must have. */
  readonly contentLength: number | undefined;

  constructor(list: readonly string[], method: string, path: string, contentLength: number | undefined) {
    this.list = list;
    this.method = method;
    this.path = path;
    this.contentLength = contentLength;
  }

  /** The value of the field of that name (lower case), several of them joined; of those that there may be one of, the first. */
  get(name: string): string | undefined {
    const { list } = this;
    let found: string | undefined;
    for (let i = 0; i < list.length; i += 2) {
      if (list[i] === name) {
        const value = list[i + 1] ?? "";
        if (found === undefined) {
          if (single.has(name)) {
            return value;
          }
          found = value;
        } else {
          found += (name === "cookie" ? "; " : ", ") + value;
        }
      }
    }
    return found;
  }

  /** The same as an object, as Node has it. */
  toObject(): IncomingHttpHeaders {
    const headers: Record<string, string | string[]> = Object.create(null);
    const { list } = this;
    for (let i = 0; i < list.length; i += 2) {
      const name = list[i] ?? "";
      if (headers[name] === undefined) {
        const value = this.get(name) ?? "";
        headers[name] = name === "set-cookie" ? list.filter((_, at) => at % 2 === 1 && list[at - 1] === name) : value;
      }
    }
    return headers;
  }
}

/** Fields that a request has once, if at all. */
const single: ReadonlySet<string> = new Set(
  (
    ":method :path :scheme :authority :protocol access-control-request-method age authorization content-encoding content-language content-length content-location content-md5 " +
    "content-range content-type date dnt etag expires from host if-match if-modified-since if-none-match if-range if-unmodified-since last-modified max-forwards " +
    "proxy-authorization range referer retry-after upgrade-insecure-requests user-agent"
  ).split(" "),
);

/** Fields of HTTP/1.1 that say something of a connection. */
const ofConnections: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "transfer-encoding",
  "upgrade",
]);

const token = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;
const capital = /[A-Z]/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: what isn't allowed
const control = /[\0-\x08\x0a-\x1f\x7f]/;
const methodToken = /^[!#$%&'*+\-.^_`|~0-9a-zA-Z]+$/;
const visible = /^[\x21-\x7e\x80-\xff]+$/;
const schemeName = /^[a-zA-Z][a-zA-Z0-9+\-.]*$/;
const digits = /^\d{1,15}$/;

/**
 * What a request's header block says; undefined if it is malformed, for which its stream is reset. Fields whose name or value isn't one are left out.
 */
export function requestFields(decoded: readonly string[]): RequestFields | undefined {
  const list: string[] = [];
  let method: string | undefined;
  let path: string | undefined;
  let scheme: string | undefined;
  let authority: string | undefined;
  let contentLength: number | undefined;
  let hosts = 0;
  let regular = false;
  for (let i = 0; i + 1 < decoded.length; i += 2) {
    const name = decoded[i] ?? "";
    const value = decoded[i + 1] ?? "";
    if (name.charCodeAt(0) === colon) {
      if (regular) {
        return undefined;
      }
      if (name === ":method" && method === undefined && methodToken.test(value)) {
        method = value;
      } else if (name === ":path" && path === undefined && visible.test(value)) {
        path = value;
      } else if (name === ":scheme" && scheme === undefined && schemeName.test(value)) {
        scheme = value;
      } else if (name === ":authority" && authority === undefined && (value === "" || visible.test(value))) {
        authority = value;
      } else {
        return undefined;
      }
    } else {
      regular = true;
      if (!token.test(name)) {
        if (capital.test(name)) {
          return undefined;
        }
        continue;
      }
      if (isImproper(value)) {
        continue;
      }
      if (name === "content-length") {
        if (!digits.test(value) || contentLength !== undefined) {
          return undefined;
        }
        contentLength = Number(value);
      } else if (name === "te" ? value.toLowerCase() !== "trailers" : ofConnections.has(name)) {
        return undefined;
      } else if (name === "host" && ++hosts > 1) {
        return undefined;
      }
    }
    list.push(name, value);
  }
  if (method === undefined) {
    return undefined;
  }
  if (method === "CONNECT") {
    // It names an authority, nothing else.
    return authority === undefined || path !== undefined || scheme !== undefined
      ? undefined
      : new RequestFields(list, method, "", contentLength);
  }
  if (path === undefined || scheme === undefined) {
    return undefined;
  }
  const web = scheme === "http" || scheme === "https";
  if (web && path.charCodeAt(0) !== slash && !(path === "*" && method === "OPTIONS")) {
    return undefined;
  }
  return new RequestFields(list, method, path, contentLength);
}

/** The fields after a request's body; undefined if they are malformed. */
export function trailerFields(decoded: readonly string[]): readonly string[] | undefined {
  const list: string[] = [];
  for (let i = 0; i + 1 < decoded.length; i += 2) {
    const name = decoded[i] ?? "";
    const value = decoded[i + 1] ?? "";
    if (name.charCodeAt(0) === colon || capital.test(name) || ofConnections.has(name)) {
      return undefined;
    }
    if (token.test(name) && !isImproper(value)) {
      list.push(name, value);
    }
  }
  return list;
}

/** Whether a value has what no value may have: controls, or blanks around it. */
function isImproper(value: string): boolean {
  return isBlank(value.charCodeAt(0)) || isBlank(value.charCodeAt(value.length - 1)) || control.test(value);
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

const colon = ":".charCodeAt(0);
const slash = "/".charCodeAt(0);
