import { lookup } from "node:dns/promises";
import type { Interceptor, Transport } from "@connectrpc/connect";
import type { Compression } from "@connectrpc/connect/protocol";
import { defaultLimits as limits } from "../limits.ts";
import type { Logger } from "../logger.ts";
import type { ServerAddress } from "../telemetry/call-telemetry.ts";
import { type CallDefaults, withCallDefaults } from "./call-defaults.ts";
import { createChannel } from "./channel.ts";
import type { TlsOptions } from "./endpoint/dial.ts";
import { createEndpoint, type Endpoint } from "./endpoint/endpoint.ts";
import { createHttp1Endpoint } from "./http1-client.ts";
import type { Lookup } from "./resolver.ts";
import type { Hedging, Retry } from "./retry/call-options.ts";
import { createDispatch } from "./retry/dispatch.ts";
import { createStreamDispatch } from "./retry/stream-dispatch.ts";
import { createUnaryDispatch } from "./retry/unary-dispatch.ts";
import { createStockTransports } from "./stock-transport.ts";
import { createConnectStreams } from "./stream/connect-stream.ts";
import { createGrpcStreams } from "./stream/grpc-stream.ts";
import { createServerStreams } from "./stream/server-stream.ts";
import { withServerStreams } from "./stream/with-server-streams.ts";
import { parseTarget, type Target } from "./target.ts";
import { createConnectProtocol } from "./unary/connect-protocol.ts";
import { createGrpcProtocol } from "./unary/grpc-protocol.ts";
import type { JsonOptions } from "./unary/messages.ts";
import { createUnary } from "./unary/unary-call.ts";

/** How to reach a server. */
export type ClientTransportOptions = CallDefaults & {
  /**
   * Such as `http://localhost:8081`, `https://example.org`, `unix:/run/user.sock`; or several addresses, among which calls are balanced: `dns:///api:8081` for all that a name has,
   * `static:///a:8081,b:8081` or `["a:8081", "b:8081"]`.
   */
  baseUrl: string | readonly string[];
  /** gRPC if not given. */
  protocol?: "grpc" | "connect" | "grpc-web";
  /** Retries of calls that may run twice: three attempts if not given; `false` for none. What no server has seen is tried again in any case. */
  retry?: Retry | false;
  /** Hedges every call that may run twice. */
  hedging?: Hedging;
  /** How names are looked up; by the system if not given. */
  lookup?: Lookup;
  /** For https, and for targets that don't say how: whom to trust, and who we are. Needed, if only `{}`, for TLS to the addresses of `dns:` and of lists. */
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
 * Calls a server over HTTP/2 (without TLS for http addresses). It connects when first called, again whenever a connection is gone, and
 * doesn't keep the process alive while idle. Throws a TypeError for a target that can't be. Unary calls and server streams of gRPC and Connect go straight over its streams; everything else through Connect's own transports.
 */
export function createClientTransport(options: ClientTransportOptions): ClientTransport {
  const { protocol = "grpc", useBinaryFormat = true, useHttpGet = false, interceptors = [] } = options;
  const { readMaxBytes = limits.messageBytes, writeMaxBytes = limits.sentMessageBytes, jsonOptions, logger } = options;
  const http1 = options.httpVersion === "1.1";
  const target = parseTarget(options.baseUrl, options.tls !== undefined);
  const { authority, prefix, source } = target;
  const scheme = target.secure ? "https" : "http";
  const baseUrl = `${scheme}://${authority}${prefix}`;
  // A name is what its certificates are for, not the addresses that it has.
  const tls = target.secure
    ? { ...(source.kind === "dns" ? { serverName: source.host } : {}), ...options.tls }
    : undefined;

  const channel = createChannel({
    target,
    createEndpoint: (address) =>
      (http1 ? createHttp1Endpoint : createEndpoint)({
        address,
        authority,
        ...(tls === undefined ? {} : { tls }),
        ...(logger === undefined ? {} : { logger }),
      }),
    lookup: options.lookup ?? lookUp,
    ...(logger === undefined ? {} : { logger }),
  });
  const dispatch = createDispatch({
    channel,
    ...(options.retry === undefined ? {} : { retry: options.retry }),
    ...(options.hedging === undefined ? {} : { hedging: options.hedging }),
  });

  const stockOptions = {
    protocol,
    baseUrl: (endpoint: Endpoint) => (http1 ? `${endpoint.url}${prefix}` : baseUrl),
    useBinaryFormat,
    jsonOptions,
    useHttpGet,
    acceptCompression: options.acceptCompression ?? [],
    sendCompression: options.sendCompression ?? null,
    compressMinBytes: options.compressMinBytes ?? 1024,
    readMaxBytes,
    writeMaxBytes,
  };
  const compressed = options.sendCompression !== undefined || (options.acceptCompression ?? []).length > 0;
  const wire = { scheme, authority, prefix } as const;
  const stockStreams = createStockTransports({ ...stockOptions, interceptors });
  const streamAt =
    http1 || protocol === "grpc-web" || compressed || !useBinaryFormat || interceptors.length > 0
      ? stockStreams
      : withServerStreams(
          stockStreams,
          createServerStreams(
            (protocol === "grpc" ? createGrpcStreams : createConnectStreams)(wire, writeMaxBytes),
            readMaxBytes,
          ),
        );
  const labels = { protocol, server: serverOf(target) };
  const stock = withCallDefaults(
    {
      unary: createUnaryDispatch({
        channel,
        dispatch,
        at: createStockTransports({ ...stockOptions, interceptors: [] }),
        interceptors,
        baseUrl,
      }),
      stream: createStreamDispatch(channel, streamAt),
    },
    options,
    labels,
  );
  const close = () => channel.close();
  if (http1 || protocol === "grpc-web" || compressed || useHttpGet || (protocol === "grpc" && !useBinaryFormat)) {
    return { ...stock, close };
  }

  const unary = createUnary({
    protocol:
      protocol === "grpc"
        ? createGrpcProtocol(wire, { readMaxBytes, writeMaxBytes })
        : createConnectProtocol(wire, {
            writeMaxBytes,
            useBinaryFormat,
            ...(jsonOptions === undefined ? {} : { jsonOptions }),
          }),
    labels,
    telemetry: options.telemetry,
    dispatch,
    timeoutMs: options.timeoutMs ?? limits.callMs,
    ...(options.token === undefined ? {} : { token: options.token }),
    baseUrl,
    readMaxBytes,
    interceptors,
  });
  return { unary, stream: stock.stream, close };
}

/** What telemetry calls a target. */
function serverOf({ name, source }: Target): ServerAddress {
  if (source.kind === "dns") {
    return { address: source.host, port: source.port };
  }
  const [only, other] = source.addresses;
  if (only === undefined || other !== undefined) {
    return { address: name };
  }
  return "path" in only ? { address: only.path } : { address: only.host, port: only.port };
}

const lookUp: Lookup = async (host) => (await lookup(host, { all: true })).map(({ address }) => address);
