import type { DescMethod, DescService } from "@bufbuild/protobuf";
import { createConnectRouter } from "@connectrpc/connect";
import type { Compression, UniversalHandler } from "@connectrpc/connect/protocol";
import type { Access } from "@kinora/proto-common";
import type { Limits } from "../limits.ts";
import type { ServiceOptions } from "../routes.ts";
import { accessRule } from "./access.ts";
import { logCall } from "./access-log.ts";
import { createCallHandler } from "./call-handler.ts";
import { createErrorMapper } from "./error-mapper.ts";
import { createGate } from "./gate.ts";
import { guardInterceptor } from "./guard-interceptor.ts";
import { validationInterceptor } from "./validation.ts";

/** What makes calls of routes. */
export type CallsOptions = Pick<ServiceOptions, "routes" | "authenticate" | "logger" | "accessOf" | "interceptors"> & {
  drain: AbortSignal;
  acceptCompression: Compression[];
  limits: Limits;
  /** The protocol to log; what the request says if not given. */
  protocol?: string;
};

/**
 * Everything that happens to a call between its transport and its handler, the same over the wire and in memory: gate, deadline, validation,
 * error mapping, access log, limits. Throws when a method doesn't state who may call it.
 */
export function createCalls(options: CallsOptions): UniversalHandler[] {
  const rules = new Map<DescMethod, Access>();
  const mapError = createErrorMapper(options.logger);
  const router = createConnectRouter({
    requestGate: createGate({ authenticate: options.authenticate, rules, mapError }),
    interceptors: [guardInterceptor(mapError), validationInterceptor(), ...(options.interceptors ?? [])],
    readMaxBytes: options.limits.messageBytes,
    writeMaxBytes: options.limits.sentMessageBytes,
    acceptCompression: options.acceptCompression,
  });
  options.routes(router);
  return router.handlers.map((handler) => {
    rules.set(handler.method, accessRule(handler.method, options.accessOf));
    return createCallHandler(handler, {
      drain: options.drain,
      limits: options.limits,
      onEnd: (call) => logCall(options.logger, call),
      ...(options.protocol === undefined ? {} : { protocol: options.protocol }),
    });
  });
}

/** The services that the handlers belong to. */
export function servicesOf(handlers: UniversalHandler[]): DescService[] {
  return [...new Set(handlers.map((handler) => handler.service))];
}
