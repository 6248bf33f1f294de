import { create, type DescMessage, type DescMethodServerStreaming, type MessageInitShape } from "@bufbuild/protobuf";
import { ConnectError, type StreamResponse } from "@connectrpc/connect";
import type { Endpoint } from "../endpoint/endpoint.ts";
import { toHeaders } from "../unary/reply-headers.ts";
import { createRequestHeaders, type HeadersInit } from "../unary/request-headers.ts";
import { iterateMessages } from "./message-iterator.ts";
import type { StreamProtocol } from "./stream-protocol.ts";
import { untilDeadline } from "./until-deadline.ts";

/** Makes server streams, straight over an endpoint's HTTP/2 streams. */
export type ServerStreams = <I extends DescMessage, O extends DescMessage>(
  receive: NonNullable<Endpoint["receive"]>,
  url: string,
  method: DescMethodServerStreaming<I, O>,
  call: ServerStreamCall<I>,
) => Promise<StreamResponse<I, O>>;

/** What `Transport.stream` is told. */
export type ServerStreamCall<I extends DescMessage> = {
  signal: AbortSignal | undefined;
  timeoutMs: number | undefined;
  header: HeadersInit;
  input: AsyncIterable<MessageInitShape<I>>;
};

/** Without interceptors and compression. `readMaxBytes` is that of one message. */
export function createServerStreams(protocol: StreamProtocol, readMaxBytes: number): ServerStreams {
  const requestHeaders = createRequestHeaders(protocol);
  return async (receive, url, method, { signal, timeoutMs, header, input }) => {
    const deadline = timeoutMs === undefined ? undefined : performance.now() + timeoutMs;
    const body = await untilDeadline(collect(method, input, protocol), deadline, signal);
    const headers = requestHeaders(method, {
      timeoutMs,
      trace: undefined,
      span: undefined,
      authorization: undefined,
      given: header,
    });
    const reply = await receive({
      headers,
      body,
      maxBytes: readMaxBytes,
      deadline,
      signal,
      refuse: protocol.refuse,
    });
    const trailer = new Headers();
    return {
      stream: true,
      service: method.parent,
      method,
      header: toHeaders(reply.headers),
      trailer,
      message: iterateMessages(method.output, reply, protocol.reader(reply, trailer, url)),
    };
  };
}

/** A request's body: for these methods it is one message. */
async function collect<I extends DescMessage>(
  method: DescMethodServerStreaming<I, DescMessage>,
  input: AsyncIterable<MessageInitShape<I>>,
  protocol: StreamProtocol,
): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  try {
    for await (const message of input) {
      parts.push(protocol.serialize(method.input, create(method.input, message)));
    }
  } catch (error) {
    throw ConnectError.from(error);
  }
  const [only, second] = parts;
  return only !== undefined && second === undefined ? only : Buffer.concat(parts);
}
