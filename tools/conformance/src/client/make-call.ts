import { setTimeout as sleep } from "node:timers/promises";
import { create, type Message } from "@bufbuild/protobuf";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import { type CallOptions, type Client, ConnectError, createClient, type Transport } from "@connectrpc/connect";
import type { ConformanceService, Contract } from "../contract/contract.ts";
import {
  type BidiStreamRequest,
  type ClientCompatRequest,
  type PayloadResponse,
  type StreamRequest,
  StreamType,
  type UnaryRequest,
} from "../contract/messages.ts";
import { addHeaders, type ErrorInit, errorDefinition, type HeaderInit, headerList } from "../contract/metadata.ts";

/** What became of a call, in the suite's form. */
export type CallResult = {
  responseHeaders: HeaderInit[];
  payloads: NonNullable<PayloadResponse["payload"]>[];
  error?: ErrorInit;
  responseTrailers: HeaderInit[];
  numUnsentRequests: number;
};

/** Makes one call as the suite asks for it. Throws where the suite asks for something that isn't a call of its service. */
export async function makeCall(
  contract: Contract,
  transport: Transport,
  asked: ClientCompatRequest,
): Promise<CallResult> {
  const canceller = new AbortController();
  const cancel = () => canceller.abort();
  const timing = asked.cancel?.cancelTiming ?? { case: "none" as const };
  const messages = asked.requestMessages.map((any) => {
    const message = anyUnpack(any, contract.registry);
    if (message === undefined) {
      throw new Error(`a request of type ${any.typeUrl} isn't in the suite's contract`);
    }
    return message;
  });
  const result: CallResult = {
    responseHeaders: [],
    payloads: [],
    responseTrailers: [],
    numUnsentRequests: messages.length,
  };

  const headers = new Headers();
  addHeaders(asked.requestHeaders, headers);
  const options: CallOptions = {
    headers,
    signal: canceller.signal,
    ...(asked.timeoutMs === undefined ? {} : { timeoutMs: asked.timeoutMs }),
    onHeader: (fields) => {
      result.responseHeaders = headerList(fields);
    },
    onTrailer: (fields) => {
      result.responseTrailers = headerList(fields);
    },
  };

  /** In full duplex each message waits for the answer to the one before it. */
  let answered = Promise.withResolvers<void>();
  const fullDuplex = asked.streamType === StreamType.fullDuplex;

  function sent(): void {
    if (timing.case === undefined || timing.case === "afterCloseSendMs") {
      setTimeout(cancel, timing.case === undefined ? 0 : timing.value);
    } else if (timing.case === "beforeCloseSend") {
      cancel();
    }
  }

  function received(response: PayloadResponse): void {
    result.payloads.push(response.payload ?? create(contract.payload));
    answered.resolve();
    answered = Promise.withResolvers();
    if (timing.case === "afterNumResponses" && timing.value === result.payloads.length) {
      cancel();
    }
  }

  async function* requests<T extends Message>(): AsyncGenerator<T> {
    for (const [index, message] of messages.entries()) {
      if (fullDuplex && index > 0) {
        await answered.promise;
      }
      await sleep(asked.requestDelayMs);
      result.numUnsentRequests--;
      yield message as T;
    }
    if (fullDuplex && messages.length > 0) {
      await answered.promise;
    }
    sent();
  }

  function only<T extends Message>(): T {
    const [message, ...more] = messages;
    if (message === undefined || more.length > 0) {
      throw new Error(`${asked.method} takes one request; the suite gave ${messages.length}`);
    }
    result.numUnsentRequests = 0;
    return message as T;
  }

  async function readAll(responses: AsyncIterable<PayloadResponse>): Promise<void> {
    for await (const response of responses) {
      received(response);
    }
  }

  const client: Client<ConformanceService> = createClient(contract.service, transport);
  const methods: Record<string, () => Promise<void>> = {
    Unary: () => unary(client.unary),
    IdempotentUnary: () => unary(client.idempotentUnary),
    Unimplemented: () => unary(client.unimplemented),
    ClientStream: async () => received(await client.clientStream(requests<UnaryRequest>(), options)),
    ServerStream: async () => {
      const responses = client.serverStream(only<StreamRequest>(), options);
      sent();
      await readAll(responses);
    },
    BidiStream: () => readAll(client.bidiStream(requests<BidiStreamRequest>(), options)),
  };

  async function unary(
    method: (request: UnaryRequest, options: CallOptions) => Promise<PayloadResponse>,
  ): Promise<void> {
    const response = method(only<UnaryRequest>(), options);
    sent();
    received(await response);
  }

  const call = methods[asked.method ?? ""];
  if (call === undefined) {
    throw new Error(`the suite's contract has no method ${asked.method}`);
  }
  try {
    await call();
  } catch (thrown) {
    const error = ConnectError.from(thrown);
    result.error = errorDefinition(error);
    // Where a call fails Connect hands over what came with it in one piece.
    result.responseTrailers = headerList(error.metadata);
  }
  return result;
}
