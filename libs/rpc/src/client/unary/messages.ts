import {
  type DescMessage,
  fromBinary,
  fromJsonString,
  type JsonReadOptions,
  type JsonWriteOptions,
  type MessageShape,
  toBinary,
  toJsonString,
} from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";

/** A message as bytes; `internal` if it can't be, `resource_exhausted` if they are too many. */
export function encodeMessage<D extends DescMessage>(desc: D, message: MessageShape<D>, maxBytes: number): Uint8Array {
  let bytes: Uint8Array;
  try {
    bytes = toBinary(desc, message);
  } catch (error) {
    throw new ConnectError(`serialize binary: ${reason(error)}`, Code.Internal);
  }
  return checkLength(bytes, maxBytes);
}

/** A message from bytes; `internal` if they aren't one. */
export function decodeMessage<D extends DescMessage>(desc: D, bytes: Uint8Array): MessageShape<D> {
  try {
    return fromBinary(desc, bytes);
  } catch (error) {
    throw new ConnectError(`parse binary: ${reason(error)}`, Code.Internal);
  }
}

/** How messages are written as JSON and read from it, such as a registry of what `google.protobuf.Any` may hold. */
export type JsonOptions = Partial<JsonReadOptions & JsonWriteOptions>;

const textEncoder = new TextEncoder();
const textDecoder = new TextDecoder();

/** A message as JSON, with the errors of `encodeMessage`. */
export function encodeJson<D extends DescMessage>(
  desc: D,
  message: MessageShape<D>,
  maxBytes: number,
  options?: JsonOptions,
): Uint8Array {
  let bytes: Uint8Array;
  try {
    bytes = textEncoder.encode(toJsonString(desc, message, options));
  } catch (error) {
    throw ConnectError.from(error, Code.Internal);
  }
  return checkLength(bytes, maxBytes);
}

/** A message from JSON, whose unknown fields are left out unless the options say otherwise; `invalid_argument`, as with Connect's own, if it isn't one. */
export function decodeJson<D extends DescMessage>(desc: D, bytes: Uint8Array, options?: JsonOptions): MessageShape<D> {
  try {
    return fromJsonString(desc, textDecoder.decode(bytes), { ignoreUnknownFields: true, ...options });
  } catch (error) {
    throw ConnectError.from(error, Code.InvalidArgument);
  }
}

function checkLength(bytes: Uint8Array, maxBytes: number): Uint8Array {
  if (bytes.byteLength > maxBytes) {
    throw new ConnectError(
      `message size ${bytes.byteLength} is larger than configured writeMaxBytes ${maxBytes}`,
      Code.ResourceExhausted,
    );
  }
  return bytes;
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
