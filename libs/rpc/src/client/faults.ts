import { constants } from "node:http2";
import { Code, ConnectError } from "@connectrpc/connect";

const explanations: Record<string, string> = {
  ECONNREFUSED: "nothing listens there",
  ENOTFOUND: "its host name is unknown",
  EAI_AGAIN: "its host name can't be looked up now",
  ETIMEDOUT: "it doesn't answer",
  EHOSTUNREACH: "there is no way to its host",
  ENETUNREACH: "there is no way to its network",
  ECONNRESET: "it broke the connection",
  EPIPE: "it broke the connection",
  ERR_HTTP2_ERROR: "what answers there doesn't speak HTTP/2",
  DEPTH_ZERO_SELF_SIGNED_CERT: "its certificate isn't one that we trust",
  SELF_SIGNED_CERT_IN_CHAIN: "its certificate isn't one that we trust",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "its certificate isn't one that we trust",
  ERR_SSL_WRONG_VERSION_NUMBER: "what answers there doesn't speak TLS",
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: "it wants a certificate of ours",
  CERT_HAS_EXPIRED: "its certificate has expired",
  ERR_TLS_CERT_ALTNAME_INVALID: "its certificate is for another name",
};

/** `unavailable`: no connection could be made. The server knows nothing of the call. */
export function unreachable(url: string, cause: unknown): ConnectError {
  const message = `can't reach ${url}: ${explain(cause)}`;
  return new ConnectError(message, Code.Unavailable, undefined, undefined, new NotSent(message, { cause }));
}

/** `unavailable`: the connection went away, or the answer was cut, in the middle of a call. The server may have done the work. */
export function lost(url: string, cause?: unknown): ConnectError {
  const reason = cause === undefined ? "the answer was cut off" : explain(cause);
  return new ConnectError(`lost the call to ${url}: ${reason}`, Code.Unavailable, undefined, undefined, cause);
}

function explain(cause: unknown): string {
  if (!(cause instanceof Error)) {
    return String(cause);
  }
  const code = "code" in cause && typeof cause.code === "string" ? cause.code : "";
  return explanations[code] ?? (cause.message || code || cause.name);
}

/**
 * What a stream that the server reset means, after https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md#errors, but `unavailable` for a
 * reset without an error: proxies send it when they stop, and connect-es waits for ever (its issue 1678).
 */
export function resetFault(url: string, resetCode: number): ConnectError {
  if (resetCode === constants.NGHTTP2_NO_ERROR) {
    return lost(url);
  }
  const code = resetCodes.get(resetCode) ?? Code.Internal;
  const cause = resetCode === constants.NGHTTP2_REFUSED_STREAM ? new RefusedStream() : undefined;
  return new ConnectError(`${url} broke off the call (HTTP/2 error ${resetCode})`, code, undefined, undefined, cause);
}

/** `deadline_exceeded`. */
export function timedOut(): ConnectError {
  return new ConnectError("the operation timed out", Code.DeadlineExceeded);
}

/** The cause of a fault after which the server has certainly done nothing, so that the call can be made again. */
export class RefusedStream extends Error {
  override readonly name = "RefusedStream";
}

/** The cause of a fault that kept the call here. */
export class NotSent extends Error {
  override readonly name = "NotSent";
}

/** Whether the server has certainly done nothing about a call that failed so: it can be made again, whatever it does. */
export function isUnseen(error: unknown): boolean {
  return error instanceof ConnectError && (error.cause instanceof RefusedStream || error.cause instanceof NotSent);
}

const resetCodes = new Map<number, Code>([
  [constants.NGHTTP2_REFUSED_STREAM, Code.Unavailable],
  [constants.NGHTTP2_CANCEL, Code.Canceled],
  [constants.NGHTTP2_ENHANCE_YOUR_CALM, Code.ResourceExhausted],
  [constants.NGHTTP2_INADEQUATE_SECURITY, Code.PermissionDenied],
]);
