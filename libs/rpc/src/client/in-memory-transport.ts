import type { Transport } from "@connectrpc/connect";
import { createTransport } from "@connectrpc/connect/protocol-connect";
import { createCalls } from "../call/create-calls.ts";
import { defaultLimits as limits } from "../limits.ts";
import type { ServiceOptions } from "../routes.ts";
import { withCallDefaults } from "./call-defaults.ts";
import { createInMemoryClient } from "./in-memory-client.ts";

/**
 * Calls a service of the same process, through the same gate, interceptors, validation, deadlines and error mapping as over the wire. Messages are
 * serialised on the way, so neither side sees what the other does to its own.
 */
export function createInMemoryTransport(options: ServiceOptions & { token?: string }): Transport {
  const handlers = createCalls({
    routes: options.routes,
    authenticate: options.authenticate,
    logger: options.logger,
    interceptors: options.interceptors ?? [],
    ...(options.accessOf === undefined ? {} : { accessOf: options.accessOf }),
    drain: new AbortController().signal,
    acceptCompression: [],
    limits,
    protocol: "memory",
  });
  const transport = createTransport({
    httpClient: createInMemoryClient(handlers),
    baseUrl: "http://in-memory",
    useBinaryFormat: true,
    interceptors: [],
    acceptCompression: [],
    sendCompression: null,
    compressMinBytes: limits.messageBytes,
    readMaxBytes: limits.messageBytes,
    writeMaxBytes: limits.sentMessageBytes,
  });
  return withCallDefaults(transport, options.token === undefined ? {} : { token: options.token });
}
