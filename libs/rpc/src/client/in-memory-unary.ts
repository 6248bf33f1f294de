import { create, type DescMessage, fromBinary, type MessageShape, toBinary } from "@bufbuild/protobuf";
import { Code, ConnectError, type Transport, type UnaryResponse } from "@connectrpc/connect";
import { createMethodUrl } from "@connectrpc/connect/protocol";
import type { UnaryExchange } from "../call/call-exchange.ts";
import type { StartCall } from "../call/direct-calls.ts";
import type { ServedMethod, UnarySpec } from "../call/served-method.ts";
import type { Limits } from "../limits.ts";
import { wireError } from "./wire-error.ts";

const baseUrl = "http://in-memory";

/**
 * Calls unary methods of this process. Messages are serialised on the way: neither side sees what the other does to its own, and none is larger than it may be
 * over the wire.
 */
export function inMemoryUnary(methods: readonly ServedMethod[], start: StartCall, limits: Limits): Transport["unary"] {
  const served = new Map<string, { method: ServedMethod; spec: UnarySpec }>();
  for (const method of methods) {
    if (method.direct?.kind === "unary") {
      served.set(method.path, { method, spec: method.direct });
    }
  }
  return <I extends DescMessage, O extends DescMessage>(
    ...[method, signal, timeoutMs, header, input]: Parameters<typeof unary<I, O>>
  ): Promise<UnaryResponse<I, O>> => {
    const { promise, resolve, reject } = Promise.withResolvers<UnaryResponse<I, O>>();
    const url = createMethodUrl(baseUrl, method);
    const found = served.get(url.slice(baseUrl.length));
    if (found === undefined) {
      reject(new ConnectError(`there is nothing at ${url.slice(baseUrl.length)}`, Code.Unimplemented));
      return promise;
    }
    const requestHeader = new Headers(header);
    const exchange: UnaryExchange = {
      protocol: "memory",
      request: {
        requestMethod: "POST",
        url: () => url,
        headers: () => new Headers(requestHeader),
        header: (name) => requestHeader.get(name) ?? undefined,
        clientAddress: () => "",
        peerCertificate: () => undefined,
      },
      timeout: () => timeoutMs,
      receive(to) {
        try {
          to.message(copy(method.input, create(method.input, input), limits.messageBytes));
        } catch (error) {
          to.fault(error);
        }
      },
      respond(answer, context) {
        const message = fromBinary(
          method.output,
          withinLimit(toBinary(found.spec.method.output, answer), limits.sentMessageBytes),
        );
        done();
        resolve({
          stream: false,
          service: method.parent,
          method,
          header: new Headers(context.writtenHeader),
          trailer: new Headers(context.writtenTrailer),
          message,
        });
      },
      fail(error, context) {
        done();
        reject(wireError(error, context));
      },
      left: () => done(),
    };
    const abort = () => {
      reject(ConnectError.from(signal?.reason, Code.Canceled));
      call.leave();
    };
    const done = () => signal?.removeEventListener("abort", abort);
    signal?.addEventListener("abort", abort, { once: true });
    const call = start(found.method, { kind: "unary", spec: found.spec, exchange });
    if (signal?.aborted) {
      abort();
    }
    return promise;
  };
}

declare const unary: Transport["unary"];

function copy<D extends DescMessage>(schema: D, message: MessageShape<D>, messageBytes: number): MessageShape<D> {
  return fromBinary(schema, withinLimit(toBinary(schema, message), messageBytes));
}

function withinLimit(bytes: Uint8Array, messageBytes: number): Uint8Array {
  if (bytes.length > messageBytes) {
    throw new ConnectError(
      `message size ${bytes.length} is larger than the limit of ${messageBytes} bytes`,
      Code.ResourceExhausted,
    );
  }
  return bytes;
}
