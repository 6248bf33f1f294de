import type { Compression as ConnectCompression } from "@connectrpc/connect/protocol";
import { compressionBrotli, compressionGzip } from "@connectrpc/connect-node";
import { type ClientTransport, type ClientTransportOptions, createClientTransport, type Logger } from "@kinora/rpc";
import type { Contract } from "../contract/contract.ts";
import { type ClientCompatRequest, Codec, Compression, HttpVersion, Protocol } from "../contract/messages.ts";

/** Transports for calls; calls of the same kind to the same server share one, and so its connections. */
export type Transports = {
  for(call: ClientCompatRequest): ClientTransport;
  close(): void;
};

const protocols: Record<number, NonNullable<ClientTransportOptions["protocol"]>> = {
  [Protocol.connect]: "connect",
  [Protocol.grpc]: "grpc",
  [Protocol.grpcWeb]: "grpc-web",
};

const compressions: Record<number, ConnectCompression> = {
  [Compression.gzip]: compressionGzip,
  [Compression.brotli]: compressionBrotli,
};

/** Makes transports as they are asked for. */
export function createTransports(contract: Contract, logger: Logger): Transports {
  const transports = new Map<string, ClientTransport>();
  return {
    for(call) {
      const key = transportKey(call);
      const transport = transports.get(key) ?? createClientTransport({ ...transportOptions(contract, call), logger });
      transports.set(key, transport);
      return transport;
    },
    close() {
      for (const transport of transports.values()) {
        transport.close();
      }
    },
  };
}

function transportKey(call: ClientCompatRequest): string {
  const { host, port, httpVersion, protocol, codec, compression, messageReceiveLimit, useGetHttpMethod } = call;
  return JSON.stringify([host, port, httpVersion, protocol, codec, compression, messageReceiveLimit, useGetHttpMethod]);
}

/** What the suite asks for in the terms of our transport. Throws when it is something that we said we don't support. */
export function transportOptions(contract: Contract, call: ClientCompatRequest): ClientTransportOptions {
  const { host, port, serverTlsCert, clientTlsCreds } = call;
  const protocol = protocols[call.protocol];
  const compression = compressions[call.compression];
  if (protocol === undefined || (compression === undefined && call.compression !== Compression.identity)) {
    throw new Error(`protocol ${call.protocol} with compression ${call.compression} isn't in conformance.yaml`);
  }
  const secure = serverTlsCert.length > 0;
  return {
    baseUrl: `${secure ? "https" : "http"}://${host}:${port}`,
    protocol,
    httpVersion: call.httpVersion === HttpVersion.http1 ? "1.1" : "2",
    useBinaryFormat: call.codec !== Codec.json,
    useHttpGet: call.useGetHttpMethod,
    jsonOptions: { registry: contract.registry },
    // A call without a deadline has none: the suite fails a client that sets one by itself.
    timeoutMs: 0,
    ...(compression === undefined
      ? {}
      : // Less than nothing, because Connect's unary calls compress what is longer than this, and the suite wants empty messages compressed as well.
        { sendCompression: compression, acceptCompression: [compression], compressMinBytes: -1 }),
    ...(call.messageReceiveLimit === 0 ? {} : { readMaxBytes: call.messageReceiveLimit }),
    ...(secure
      ? {
          tls: {
            ca: Buffer.from(serverTlsCert),
            ...(clientTlsCreds === undefined
              ? {}
              : { cert: Buffer.from(clientTlsCreds.cert), key: Buffer.from(clientTlsCreds.key) }),
          },
        }
      : {}),
  };
}
