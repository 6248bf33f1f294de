import {
  contentTypeStreamJson,
  contentTypeStreamProto,
  createEndStreamSerialization,
  endStreamFlag,
  headerStreamEncoding,
} from "@connectrpc/connect/protocol-connect";
import { connectTimeout } from "./connect.ts";
import { envelop, prefixBytes, singleMessage } from "./envelope.ts";
import type { StreamProtocol } from "./protocol.ts";

const endStream = createEndStreamSerialization(undefined);

/** Connect's protocol for streams: messages in envelopes, the last of which has the error and the trailers. https://connectrpc.com/docs/protocol#streaming-rpcs */
export function connectStream(json: boolean): StreamProtocol {
  return {
    name: "connect",
    overhead: prefixBytes,
    json,
    encodingHeader: headerStreamEncoding.toLowerCase(),
    timeout: connectTimeout,
    decode: singleMessage,
    headers: Object.freeze(["content-type", json ? contentTypeStreamJson : contentTypeStreamProto]),
    trailers: false,
    end: (error, { writtenTrailer }) => ({
      body: envelop(
        endStream.serialize({ metadata: new Headers(writtenTrailer), ...(error === undefined ? {} : { error }) }),
        endStreamFlag,
      ),
      trailers: undefined,
    }),
  };
}
