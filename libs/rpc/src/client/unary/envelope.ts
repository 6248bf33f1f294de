import { Code, ConnectError } from "@connectrpc/connect";

/** Bytes before a message on the wire: flags, and its length in four bytes, most significant first. */
export const prefixBytes = 5;

/** A message as gRPC puts it on the wire. */
export function wrap(message: Uint8Array): Uint8Array {
  const { byteLength } = message;
  const bytes = Buffer.allocUnsafe(prefixBytes + byteLength);
  bytes[0] = 0;
  bytes[1] = byteLength >>> 24;
  bytes[2] = byteLength >>> 16;
  bytes[3] = byteLength >>> 8;
  bytes[4] = byteLength;
  bytes.set(message, prefixBytes);
  return bytes;
}

/** What a body that should hold one message holds. */
export type Unwrapped = { kind: "message"; bytes: Uint8Array } | { kind: "nothing" } | { kind: "cut" };

/**
 * Takes the only message of a reply out of its body. Throws a ConnectError for a message that is longer than `maxBytes`, that is compressed although nobody asked for it, or
 * that is followed by another one.
 */
export function unwrap(body: Uint8Array, maxBytes: number): Unwrapped {
  if (body.byteLength === 0) {
    return { kind: "nothing" };
  }
  if (body.byteLength < prefixBytes) {
    return { kind: "cut" };
  }
  const flags = body[0] ?? 0;
  const length = (body[1] ?? 0) * 2 ** 24 + (((body[2] ?? 0) << 16) | ((body[3] ?? 0) << 8) | (body[4] ?? 0));
  if (length > maxBytes) {
    throw new ConnectError(
      `message size ${length} is larger than configured readMaxBytes ${maxBytes}`,
      Code.ResourceExhausted,
    );
  }
  const end = prefixBytes + length;
  if (body.byteLength < end) {
    return { kind: "cut" };
  }
  if ((flags & 1) === 1) {
    throw new ConnectError("the reply is compressed, and nobody asked for that", Code.Internal);
  }
  if (body.byteLength > end) {
    throw new ConnectError("protocol error: received extra output message for unary method", Code.Unimplemented);
  }
  return { kind: "message", bytes: own(body, prefixBytes, end) };
}

// Below this, what is kept of a message may hold on to much more than it is.
const worthSharing = 16 * 1024;

/**
 * A part of what was received, as messages may keep it: not a Buffer, and not a small part of something large. A small part is copied to where Node keeps small Buffers, as
 * memory of its own would cost more than all the rest of reading it.
 */
export function own(bytes: Uint8Array, start: number, end: number): Uint8Array {
  const length = end - start;
  if (length >= worthSharing) {
    return new Uint8Array(bytes.buffer, bytes.byteOffset + start, length);
  }
  const copy = Buffer.allocUnsafe(length);
  copy.set(start === 0 && end === bytes.byteLength ? bytes : bytes.subarray(start, end));
  return new Uint8Array(copy.buffer, copy.byteOffset, length);
}
