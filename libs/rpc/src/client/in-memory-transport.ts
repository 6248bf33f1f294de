import type { Transport } from "@connectrpc/connect";
import { createTransport } from "@connectrpc/connect/protocol-connect";
import { createDirectCalls } from "../call/direct-calls.ts";
import { createLifecycle } from "../call/lifecycle.ts";
import { servedMethods } from "../call/served-methods.ts";
import { idempotencyInterceptor } from "../idempotency/idempotency.ts";
import { createMemoryIdempotencyStore } from "../idempotency/memory-idempotency-store.ts";
import { defaultLimits as limits } from "../limits.ts";
import type { ServiceOptions } from "../routes.ts";
import { type CallDefaults, withCallDefaults } from "./call-defaults.ts";
import { createInMemoryClient } from "./in-memory-client.ts";
import { inMemoryUnary } from "./in-memory-unary.ts";

const drain = new AbortController().signal;

/**
 * Calls a service of the same process, through the same gate, interceptors, validation, deadlines and error mapping as over the wire. Messages are
 * serialised on the way, so neither side sees what the other does to its own.
 */
export function createInMemoryTransport(options: ServiceOptions & Pick<CallDefaults, "token">): Transport {
  const { logger } = options;
  const lifecycle = createLifecycle({
    authenticate: options.authenticate,
    logger,
    drain,
    accessLog: options.accessLog ?? true,
    telemetry: options.telemetry,
  });
  const shared = {
    lifecycle,
    logger,
    drain,
    limits,
    interceptors: options.interceptors ?? [],
    validation: options.validation ?? true,
    idempotency: idempotencyInterceptor(options.idempotencyStore ?? createMemoryIdempotencyStore()),
    accessOf: options.accessOf,
    ownersRequired: options.ownersRequired,
  };
  const methods = servedMethods({ ...shared, routes: options.routes, acceptCompression: [], protocol: "memory" });
  const streams = createTransport({
    httpClient: createInMemoryClient(methods.map(({ handler }) => handler)),
    baseUrl: "http://in-memory",
    useBinaryFormat: true,
    interceptors: [],
    acceptCompression: [],
    sendCompression: null,
    compressMinBytes: limits.messageBytes,
    readMaxBytes: limits.messageBytes,
    writeMaxBytes: limits.sentMessageBytes,
  });
  const transport: Transport = { ...streams, unary: inMemoryUnary(methods, createDirectCalls(shared), limits) };
  const { token, telemetry } = options;
  return withCallDefaults(transport, { telemetry, ...(token === undefined ? {} : { token }) }, { protocol: "memory" });
}
