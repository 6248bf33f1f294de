import { type DescMessage, fromBinary, fromJsonString, type Message, toBinary, toJsonString } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import type { ServerStreamSpec, UnarySpec } from "../../call/served-method.ts";
import type { Limits } from "../../limits.ts";
import { tooLarge } from "./envelope.ts";

/**
 * Turns a method's requests into messages, and its messages into responses; throws what the caller gets where that fails or a message is too large. JSON is a string, which Node sends
 * together with the head of an HTTP/1.1 response.
 */
export type Codec = { parse(bytes: Uint8Array): Message; serialize(message: Message): Uint8Array | string };

/** The codecs of a method. Their errors are those of Connect's own. */
export function codecsOf({ method }: UnarySpec | ServerStreamSpec, limits: Limits): { binary: Codec; json: Codec } {
  return {
    binary: limited(binaryCodec(method.input, method.output), limits),
    json: limited(jsonCodec(method.input, method.output), limits),
  };
}

function binaryCodec(input: DescMessage, output: DescMessage): Codec {
  return {
    parse(bytes) {
      try {
        return fromBinary(input, bytes);
      } catch (error) {
        throw new ConnectError(`parse binary: ${messageOf(error)}`, Code.Internal);
      }
    },
    serialize(message) {
      try {
        return toBinary(output, message);
      } catch (error) {
        throw new ConnectError(`serialize binary: ${messageOf(error)}`, Code.Internal);
      }
    },
  };
}

// What is no UTF-8 is refused: of passwords, all such bytes would be the same.
const utf8 = new TextDecoder("utf-8", { fatal: true });
const jsonOptions = { ignoreUnknownFields: true };

function jsonCodec(input: DescMessage, output: DescMessage): Codec {
  return {
    parse(bytes) {
      try {
        return fromJsonString(input, utf8.decode(bytes), jsonOptions);
      } catch (error) {
        throw ConnectError.from(error, Code.InvalidArgument);
      }
    },
    serialize(message) {
      try {
        return toJsonString(output, message);
      } catch (error) {
        throw ConnectError.from(error, Code.Internal);
      }
    },
  };
}

function limited(codec: Codec, { messageBytes, sentMessageBytes }: Limits): Codec {
  return {
    parse(bytes) {
      if (bytes.length > messageBytes) {
        throw tooLarge(bytes.length, messageBytes);
      }
      return codec.parse(bytes);
    },
    serialize(message) {
      const sent = codec.serialize(message);
      const size = Buffer.byteLength(sent);
      if (size > sentMessageBytes) {
        const text = `message size ${size} is larger than configured writeMaxBytes ${sentMessageBytes}`;
        throw new ConnectError(text, Code.ResourceExhausted);
      }
      return sent;
    },
  };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
