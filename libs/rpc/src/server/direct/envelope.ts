import { Code, ConnectError } from "@connectrpc/connect";

/** Bytes in front of each message of gRPC and gRPC-Web: flags, and the message's length (https://grpc.github.io/grpc/core/md_doc__p_r_o_t_o_c_o_l-_h_t_t_p2.html). */
export const prefixBytes = 5;

const compressedFlag = 1;

/** A message in its envelope. */
export function envelop(content: Uint8Array | string, flags = 0): Buffer {
  const message = typeof content === "string" ? Buffer.from(content) : content;
  const envelope = Buffer.allocUnsafe(prefixBytes + message.length);
  writePrefix(envelope, 0, message.length, flags);
  envelope.set(message, prefixBytes);
  return envelope;
}

/** Writes what comes in front of a message. */
export function writePrefix(into: Buffer, at: number, length: number, flags = 0): void {
  into[at] = flags;
  into.writeUInt32BE(length, at + 1);
}

/** The one message of a unary request's body; throws what the caller gets where there is none, more than one, or one that is cut off, compressed or too large. */
export function singleMessage(body: Buffer, messageBytes: number): Buffer {
  if (body.length === 0) {
    throw new ConnectError("protocol error: missing input message for unary method", Code.Unimplemented);
  }
  const length = body.length < prefixBytes ? 0 : body.readUInt32BE(1);
  if (length > messageBytes) {
    throw tooLarge(length, messageBytes);
  }
  const end = prefixBytes + length;
  if (body.length < end) {
    const message = `protocol error: promised ${length} bytes in enveloped message, got ${Math.max(0, body.length - prefixBytes)} bytes`;
    throw new ConnectError(message, Code.InvalidArgument);
  }
  if (body.length > end) {
    throw new ConnectError("protocol error: received extra input message for unary method", Code.Unimplemented);
  }
  if (((body[0] ?? 0) & compressedFlag) === compressedFlag) {
    throw new ConnectError("received compressed envelope, but do not know how to decompress", Code.Internal);
  }
  return body.subarray(prefixBytes);
}

/** What the caller of a message beyond the limit gets. */
export function tooLarge(bytes: number | undefined, messageBytes: number): ConnectError {
  const size = bytes === undefined ? "" : ` ${bytes}`;
  return new ConnectError(
    `message size${size} is larger than configured readMaxBytes ${messageBytes}`,
    Code.ResourceExhausted,
  );
}
