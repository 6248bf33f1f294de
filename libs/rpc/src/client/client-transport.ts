import type { Interceptor, Transport } from "@connectrpc/connect";
import type { Compression } from "@connectrpc/connect/protocol";
import { createTransport as createConnectTransport } from "@connectrpc/connect/protocol-connect";
import { createTransport as createGrpcTransport } from "@connectrpc/connect/protocol-grpc";
import { createTransport as createGrpcWebTransport } from "@connectrpc/connect/protocol-grpc-web";
import { defaultLimits as limits } from "../limits.ts";
import type { Logger } from "../logger.ts";
import { parseBaseUrl } from "./base-url.ts";
import { type CallDefaults, withCallDefaults } from "./call-defaults.ts";
import type { TlsOptions } from "./endpoint/dial.ts";
import { createEndpoint } from "./endpoint/endpoint.ts";
import { isUnseen } from "./faults.ts";
import { createHttp1Client } from "./http1-client.ts";
import { withTransportFaults } from "./transport-faults.ts";
import { createConnectProtocol } from "./unary/connect-protocol.ts";
import { createGrpcProtocol } from "./unary/grpc-protocol.ts";
import type { JsonOptions } from "./unary/messages.ts";
import { createUnary, type Dispatch } from "./unary/unary-call.ts";

/** How to reach a server. */
export type ClientTransportOptions = CallDefaults & {
  /** Such as `http://localhost:8081`, `https://example.org`, or `unix:/run/user.sock`. */
  baseUrl: string;
  /** gRPC if not given. */
  protocol?: "grpc" | "connect" | "grpc-web";
  /** For https: whom to trust, and who we are. */
  tls?: TlsOptions;
  /** Run around every call, the first outermost. */
  interceptors?: Interceptor[];
  /** Told when the server can't be reached, and when it can again. */
  logger?: Logger;
  /** Messages as JSON if false. */
  useBinaryFormat?: boolean;
  /** For messages as JSON. */
  jsonOptions?: JsonOptions;
  /** HTTP/2 if not given. gRPC needs that; the others also work where only HTTP/1.1 gets through. */
  httpVersion?: "1.1" | "2";
  /** GET instead of POST for methods without side effects, in the Connect protocol. */
  useHttpGet?: boolean;
  /** Compressions that the server may use; none if not given. */
  acceptCompression?: Compression[];
  /** How to compress messages of at least `compressMinBytes`. */
  sendCompression?: Compression;
  compressMinBytes?: number;
  /** Bytes of the longest message that is taken, and that is sent; 4 MiB. */
  readMaxBytes?: number;
  writeMaxBytes?: number;
};

/** A transport that can be closed: calls under way fail as `unavailable`, and so do later ones. */
export type ClientTransport = Transport & { close(): void };

/**
 * Calls a server over HTTP/2 (without TLS for http addresses). It connects when first called, again whenever the connection is gone, and
 * doesn't keep the process alive while idle. Unary calls of gRPC and Connect go straight over its streams; everything else through Connect's own transports.
 */
export function createClientTransport(options: ClientTransportOptions): ClientTransport {
  const { protocol = "grpc", useBinaryFormat = true, useHttpGet = false, interceptors = [] } = options;
  const { readMaxBytes = limits.messageBytes, writeMaxBytes = limits.sentMessageBytes } = options;
  const jsonOptions = options.jsonOptions === undefined ? {} : { jsonOptions: options.jsonOptions };
  const { address, secure, authority, prefix } = parseBaseUrl(options.baseUrl);
  const tls = secure ? (options.tls ?? {}) : undefined;
  const endpoint = createEndpoint({
    address,
    authority,
    ...(tls === undefined ? {} : { tls }),
    ...(options.logger === undefined ? {} : { logger: options.logger }),
  });
  const http1 = options.httpVersion === "1.1" ? createHttp1Client(address, endpoint.url, tls) : undefined;
  const target = { scheme: secure ? "https" : "http", authority, prefix } as const;
  const baseUrl = `${target.scheme}://${authority}${prefix}`;

  const stock = withCallDefaults(
    withTransportFaults(
      stockTransports[protocol]({
        httpClient: http1?.request ?? endpoint.request,
        baseUrl,
        useBinaryFormat,
        useHttpGet,
        interceptors,
        acceptCompression: options.acceptCompression ?? [],
        sendCompression: options.sendCompression ?? null,
        compressMinBytes: options.compressMinBytes ?? 1024,
        readMaxBytes,
        writeMaxBytes,
        ...jsonOptions,
      }),
      endpoint.url,
    ),
    options,
  );
  const compressed = options.sendCompression !== undefined || (options.acceptCompression ?? []).length > 0;
  const close = () => {
    http1?.close();
    endpoint.close();
  };
  if (
    http1 !== undefined ||
    protocol === "grpc-web" ||
    compressed ||
    useHttpGet ||
    (protocol === "grpc" && !useBinaryFormat)
  ) {
    return { ...stock, close };
  }

  const dispatch: Dispatch = (attempt) =>
    attempt(endpoint).catch((error: unknown) => (isUnseen(error) ? attempt(endpoint) : Promise.reject(error)));
  const unary = createUnary({
    protocol:
      protocol === "grpc"
        ? createGrpcProtocol(target, { readMaxBytes, writeMaxBytes })
        : createConnectProtocol(target, { writeMaxBytes, useBinaryFormat, ...jsonOptions }),
    dispatch,
    timeoutMs: options.timeoutMs ?? limits.callMs,
    ...(options.token === undefined ? {} : { token: options.token }),
    baseUrl,
    readMaxBytes,
    interceptors,
  });
  return { unary, stream: stock.stream, close };
}

const stockTransports = {
  grpc: createGrpcTransport,
  connect: createConnectTransport,
  "grpc-web": createGrpcWebTransport,
};
