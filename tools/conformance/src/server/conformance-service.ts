import { setTimeout as sleep } from "node:timers/promises";
import type { DescMessage, Message } from "@bufbuild/protobuf";
import { create } from "@bufbuild/protobuf";
import { type Any, anyPack } from "@bufbuild/protobuf/wkt";
import type { HandlerContext } from "@connectrpc/connect";
import type { Routes } from "@kinora/rpc";
import type { Contract } from "../contract/contract.ts";
import type {
  RequestInfo,
  StreamRequest,
  StreamResponseDefinition,
  UnaryRequest,
  UnaryResponseDefinition,
} from "../contract/messages.ts";
import { addHeaders, connectError, headerList } from "../contract/metadata.ts";

type Payload = { payload: { data?: Uint8Array; requestInfo?: RequestInfo } };

/** Does what each request says: answers with what it asks for and with what arrived of it. */
export function conformanceRoutes(contract: Contract): Routes {
  const pack = (message: Message): Any =>
    anyPack(contract.registry.getMessage(message.$typeName) as DescMessage, message);

  /** What arrived: headers, time left, messages. */
  function requestInfo(context: HandlerContext, requests: readonly Message[]): RequestInfo {
    const timeout = context.timeoutMs();
    return create(contract.requestInfo, {
      requestHeaders: headerList(context.requestHeader),
      ...(timeout === undefined ? {} : { timeoutMs: BigInt(Math.trunc(timeout)) }),
      requests: requests.map(pack),
      ...(context.requestMethod === "GET"
        ? { connectGetInfo: { queryParams: headerList(new URL(context.url).searchParams) } }
        : {}),
    });
  }

  /** Answers with one message, or with an error. */
  async function answer(
    definition: UnaryResponseDefinition | undefined,
    requests: readonly Message[],
    context: HandlerContext,
  ): Promise<Payload> {
    const info = requestInfo(context, requests);
    if (definition === undefined) {
      return { payload: { requestInfo: info } };
    }
    begin(definition, context);
    await sleep(definition.responseDelayMs, undefined, { signal: context.signal });
    const { response } = definition;
    if (response.case === "error") {
      throw connectError(response.value, pack(info));
    }
    return { payload: { requestInfo: info, ...(response.case === undefined ? {} : { data: response.value }) } };
  }

  /** The rest of a stream's answers, from the one with this index on, then its error. */
  async function* stream(
    definition: StreamResponseDefinition | undefined,
    from: number,
    requests: readonly Message[],
    context: HandlerContext,
  ): AsyncGenerator<Payload> {
    for (const [index, data] of (definition?.responseData ?? []).entries()) {
      if (index >= from) {
        await sleep(definition?.responseDelayMs, undefined, { signal: context.signal });
        yield { payload: { data, ...(index === 0 ? { requestInfo: requestInfo(context, requests) } : {}) } };
      }
    }
    if (definition?.error !== undefined) {
      const silent = definition.responseData.length === 0;
      throw connectError(definition.error, silent ? pack(requestInfo(context, requests)) : undefined);
    }
  }

  return (router) => {
    router.service(
      contract.service,
      {
        unary: (request, context) => answer(request.responseDefinition, [request], context),
        idempotentUnary: (request, context) => answer(request.responseDefinition, [request], context),
        async clientStream(requests, context) {
          const received: UnaryRequest[] = [];
          for await (const request of requests) {
            received.push(request);
          }
          return answer(received[0]?.responseDefinition, received, context);
        },
        async *serverStream(request: StreamRequest, context) {
          begin(request.responseDefinition, context);
          yield* stream(request.responseDefinition, 0, [request], context);
        },
        async *bidiStream(requests, context) {
          let definition: StreamResponseDefinition | undefined;
          let fullDuplex: boolean | undefined;
          let answered = 0;
          let received: Message[] = [];
          for await (const request of requests) {
            if (fullDuplex === undefined) {
              ({ responseDefinition: definition, fullDuplex } = request);
              begin(definition, context);
            }
            received.push(request);
            if (fullDuplex) {
              const data = definition?.responseData[answered];
              if (data === undefined) {
                break;
              }
              await sleep(definition?.responseDelayMs, undefined, { signal: context.signal });
              const info =
                answered === 0
                  ? requestInfo(context, received)
                  : create(contract.requestInfo, { requests: received.map(pack) });
              yield { payload: { data, requestInfo: info } };
              answered++;
              received = [];
            }
          }
          yield* stream(definition, answered, received, context);
        },
      },
      { jsonOptions: { registry: contract.registry } },
    );
  };
}

function begin(
  definition: UnaryResponseDefinition | StreamResponseDefinition | undefined,
  context: HandlerContext,
): void {
  addHeaders(definition?.responseHeaders ?? [], context.responseHeader);
  addHeaders(definition?.responseTrailers ?? [], context.responseTrailer);
}
