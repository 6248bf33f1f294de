import { randomUUID } from "node:crypto";
import type { DescMethod } from "@bufbuild/protobuf";
import { MethodOptions_IdempotencyLevel as Level } from "@bufbuild/protobuf/wkt";
import type { Interceptor } from "@connectrpc/connect";

/** The header that carries a key (draft-ietf-httpapi-idempotency-key-header). */
export const idempotencyKeyHeader = "idempotency-key";

/** The header of a response that was given before. */
export const replayedHeader = "idempotency-replayed";

const longest = 255;
const visible = /^[\x21-\x7e]+$/;
// The draft's form, a string of RFC 8941: in quotes, with backslashes before quotes and backslashes.
const quoted = /^"((?:[\x20-\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"$/;

/** The key that a header's value holds: with quotes as in the draft, or without as most send it. Undefined if it isn't 1 to 255 visible ASCII characters. */
export function parseIdempotencyKey(value: string): string | undefined {
  const inner = quoted.exec(value)?.[1];
  const key = inner === undefined ? value : inner.replace(/\\(["\\])/g, "$1");
  return key.length <= longest && visible.test(key) ? key : undefined;
}

/** Whether a call carries a key, so that it does no harm to make it twice. */
export function hasIdempotencyKey(header: Headers): boolean {
  return header.has(idempotencyKeyHeader);
}

/** Whether keys mean something for a method: unary ones whose contract doesn't say that calling them changes nothing. */
export function takesIdempotencyKey(method: DescMethod): boolean {
  return method.methodKind === "unary" && method.idempotency !== Level.NO_SIDE_EFFECTS;
}

/** For clients: gives each call that changes something a key of its own, so that it can be made again when nobody knows what became of it. Keys that are there stay. */
export function sendIdempotencyKeys(): Interceptor {
  return (next) => (request) => {
    const { method, header } = request;
    if (takesIdempotencyKey(method) && method.idempotency !== Level.IDEMPOTENT && !hasIdempotencyKey(header)) {
      header.set(idempotencyKeyHeader, randomUUID());
    }
    return next(request);
  };
}
