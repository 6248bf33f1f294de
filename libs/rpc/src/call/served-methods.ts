import type { DescMethod } from "@bufbuild/protobuf";
import { createConnectRouter, type HandlerContext, type Interceptor } from "@connectrpc/connect";
import type { Compression } from "@connectrpc/connect/protocol";
import { callerKey } from "../caller.ts";
import type { Limits } from "../limits.ts";
import type { Logger } from "../logger.ts";
import type { Routes } from "../routes.ts";
import type { Shedding } from "../shedding/shedding.ts";
import { type AccessOf, accessRule } from "./access.ts";
import { createCallHandler } from "./call-handler.ts";
import { callRecordKey } from "./call-record.ts";
import { guardInterceptor } from "./guard-interceptor.ts";
import type { Lifecycle } from "./lifecycle.ts";
import { recordRoutes, type ServedMethod } from "./served-method.ts";
import { validationInterceptor } from "./validation.ts";

/** What makes methods of routes. */
export type ServedMethodsOptions = {
  routes: Routes;
  lifecycle: Lifecycle;
  logger: Logger;
  /** Aborts when the server starts to close. */
  drain: AbortSignal;
  limits: Limits;
  interceptors: readonly Interceptor[];
  validation: boolean;
  acceptCompression: Compression[];
  accessOf?: AccessOf | undefined;
  ownersRequired?: boolean | undefined;
  /** What refuses the calls of a unary method that can't be answered in time; undefined for methods whose calls are never refused. */
  sheddingOf?: ((method: DescMethod) => Shedding | undefined) | undefined;
  /** Answers calls that carry idempotency keys. */
  idempotency?: Interceptor | undefined;
  /** The protocol to log; what the request says if not given. */
  protocol?: string;
};

/**
 * The methods of routes, each with Connect's handler, around which the same steps are laid as around a unary call that does without it: gate, deadline,
 * validation, error mapping, access log, limits. Throws when a method doesn't state who may call it.
 */
export function servedMethods(options: ServedMethodsOptions): ServedMethod[] {
  const { lifecycle, limits } = options;
  const stock = createConnectRouter({
    requestGate: (context) => admit(lifecycle, context),
    interceptors: [
      guardInterceptor(lifecycle),
      ...(options.validation ? [validationInterceptor()] : []),
      ...(options.idempotency === undefined ? [] : [options.idempotency]),
      ...options.interceptors,
    ],
    readMaxBytes: limits.messageBytes,
    writeMaxBytes: limits.sentMessageBytes,
    acceptCompression: options.acceptCompression,
  });
  const { router, implementations } = recordRoutes(options.routes, stock, options.ownersRequired);
  return router.handlers.map((handler) => {
    const { method } = handler;
    const by = method.methodKind === "unary" ? options.sheddingOf?.(method) : undefined;
    const facts = {
      method,
      name: `${method.parent.typeName}/${method.name}`,
      access: accessRule(method, options.accessOf),
      shed: by && { by, latency: by.method() },
    };
    const spec = implementations.get(method);
    return {
      ...facts,
      path: handler.requestPath,
      handler: createCallHandler(facts, handler, options),
      // Interceptors of streams are Connect's to run.
      direct:
        spec?.kind === "unary" || (spec?.kind === "server_streaming" && options.interceptors.length === 0)
          ? spec
          : undefined,
    };
  });
}

/** The gate of calls that Connect runs: it asks once their headers are here and before their body is read. */
async function admit(lifecycle: Lifecycle, context: HandlerContext): Promise<void> {
  const call = context.values.get(callRecordKey);
  if (call === undefined) {
    throw new Error("a call that has not begun");
  }
  const remaining = context.timeoutMs();
  call.protocol ||= context.protocolName;
  call.deadline = remaining === undefined ? undefined : performance.now() + remaining;
  await lifecycle.admit(call, context);
  context.values.set(callerKey, call.caller ?? { kind: "anonymous" });
}
