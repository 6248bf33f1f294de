import type { Transport } from "@connectrpc/connect";
import { createTransport as createConnectTransport } from "@connectrpc/connect/protocol-connect";
import { createTransport as createGrpcTransport } from "@connectrpc/connect/protocol-grpc";
import { defaultLimits as limits } from "../limits.ts";
import type { Logger } from "../logger.ts";
import { type CallDefaults, withCallDefaults } from "./call-defaults.ts";
import { createConnectionSource } from "./connection-source.ts";
import { createHttp2Client } from "./http2-client.ts";
import { withTransportFaults } from "./transport-faults.ts";

/** How to reach a server. */
export type ClientTransportOptions = CallDefaults & {
  /** Such as `http://localhost:8081`; https works as well. */
  baseUrl: string;
  /** gRPC if not given. */
  protocol?: "grpc" | "connect";
  /** Told when the server can't be reached, and when it can again. */
  logger?: Logger;
};

/** A transport that can be closed: calls under way fail as `unavailable`, and so do later ones. */
export type ClientTransport = Transport & { close(): void };

/**
 * Calls a server over HTTP/2 (without TLS for http addresses). It connects when first called, again whenever the connection is gone, and
 * doesn't keep the process alive while idle.
 */
export function createClientTransport(options: ClientTransportOptions): ClientTransport {
  const baseUrl = options.baseUrl.replace(/\/+$/, "");
  const connections = createConnectionSource(baseUrl, options.logger);
  const create = options.protocol === "connect" ? createConnectTransport : createGrpcTransport;
  const transport = create({
    httpClient: createHttp2Client(baseUrl, connections),
    baseUrl,
    useBinaryFormat: true,
    interceptors: [],
    acceptCompression: [],
    sendCompression: null,
    compressMinBytes: limits.messageBytes,
    readMaxBytes: limits.messageBytes,
    writeMaxBytes: limits.messageBytes,
  });
  return { ...withCallDefaults(withTransportFaults(transport, baseUrl), options), close: () => connections.close() };
}
