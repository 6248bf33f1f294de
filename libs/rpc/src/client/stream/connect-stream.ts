import { ConnectError } from "@connectrpc/connect";
import {
  createEndStreamSerialization,
  endStreamFlag,
  validateResponseWithCompression,
} from "@connectrpc/connect/protocol-connect";
import { lost } from "../faults.ts";
import { connectRequest } from "../unary/connect-protocol.ts";
import { wrap } from "../unary/envelope.ts";
import { decodeMessage, encodeMessage } from "../unary/messages.ts";
import { toHeaders } from "../unary/reply-headers.ts";
import type { Target } from "../unary/unary-protocol.ts";
import { notCompressed } from "./not-compressed.ts";
import type { StreamProtocol } from "./stream-protocol.ts";

const contentType = "application/connect+proto";

/** Server streams by Connect: https://connectrpc.com/docs/protocol#streaming-rpcs. */
export function createConnectStreams(target: Target, writeMaxBytes: number): StreamProtocol {
  const endStream = createEndStreamSerialization(undefined);
  return {
    ...connectRequest(target, contentType),
    serialize: (desc, message) => wrap(encodeMessage(desc, message, writeMaxBytes)),
    refuse(status, headers) {
      const usual = status === 200 && headers["content-type"] === contentType;
      if (usual && headers["connect-content-encoding"] === undefined) {
        return undefined;
      }
      try {
        validateResponseWithCompression("server_streaming", [], true, status, toHeaders(headers));
        return undefined;
      } catch (error) {
        return ConnectError.from(error);
      }
    },
    reader(reply, trailer, url) {
      let ended = false;
      return {
        read(desc, envelope) {
          const bytes = notCompressed(envelope);
          if (ended) {
            throw lost(url, new Error("it goes on after its end"));
          }
          if ((envelope.flags & endStreamFlag) === 0) {
            return decodeMessage(desc, bytes);
          }
          ended = true;
          const { metadata, error } = parseEnd(bytes);
          metadata.forEach((value, name) => {
            trailer.set(name, value);
          });
          if (error !== undefined) {
            toHeaders(reply.headers, error.metadata);
            throw error;
          }
          return undefined;
        },
        finish() {
          if (!ended || reply.rest > 0) {
            throw lost(url);
          }
        },
      };

      function parseEnd(bytes: Uint8Array) {
        try {
          return endStream.parse(bytes);
        } catch (error) {
          throw lost(url, error);
        }
      }
    },
  };
}
