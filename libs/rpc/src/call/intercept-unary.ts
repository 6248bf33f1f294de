import { create, type DescMessage, type Message, type MessageShape } from "@bufbuild/protobuf";
import { Code, ConnectError, type HandlerContext, type Interceptor } from "@connectrpc/connect";
import type { CallContext } from "./call-context.ts";
import type { UnarySpec } from "./served-method.ts";

type AnyFn = Parameters<Interceptor>[0];

/** Runs the handler inside Connect's interceptors. */
export async function interceptUnary(
  spec: UnarySpec,
  message: MessageShape<DescMessage>,
  context: CallContext,
  interceptors: readonly Interceptor[],
): Promise<Message> {
  const handle: AnyFn = async (request) => {
    if (request.stream) {
      throw new ConnectError("an interceptor made a stream of a unary call", Code.Internal);
    }
    const answer = await spec.impl(request.message, changed(context, request));
    return {
      stream: false,
      service: request.service,
      method: spec.method,
      header: context.responseHeader,
      trailer: context.responseTrailer,
      message: create(spec.method.output, answer),
    };
  };
  const next = interceptors.reduceRight((inner, interceptor) => interceptor(inner), handle);
  const response = await next({
    stream: false,
    service: spec.method.parent,
    method: spec.method,
    requestMethod: context.requestMethod,
    url: context.url,
    signal: context.signal,
    header: context.requestHeader,
    contextValues: context.values,
    message,
  });
  if (response.stream) {
    throw new ConnectError("an interceptor made a stream of a unary call", Code.Internal);
  }
  context.responseHeader = response.header;
  context.responseTrailer = response.trailer;
  return response.message;
}

/** The context for the handler, with what interceptors have put in the place of the request's own. */
function changed(context: CallContext, request: Parameters<AnyFn>[0]): HandlerContext {
  if (
    request.header === context.requestHeader &&
    request.signal === context.signal &&
    request.contextValues === context.values
  ) {
    return context;
  }
  return {
    method: context.method,
    service: request.service,
    requestMethod: context.requestMethod,
    url: context.url,
    protocolName: context.protocolName,
    timeoutMs: context.timeoutMs,
    requestHeader: request.header,
    signal: request.signal,
    values: request.contextValues,
    get responseHeader() {
      return context.responseHeader;
    },
    get responseTrailer() {
      return context.responseTrailer;
    },
  };
}
