import type { Interceptor, Transport } from "@connectrpc/connect";
import type { Compression } from "@connectrpc/connect/protocol";
import { createTransport as createConnectTransport } from "@connectrpc/connect/protocol-connect";
import { createTransport as createGrpcTransport } from "@connectrpc/connect/protocol-grpc";
import { createTransport as createGrpcWebTransport } from "@connectrpc/connect/protocol-grpc-web";
import type { Endpoint } from "./endpoint/endpoint.ts";
import { withTransportFaults } from "./transport-faults.ts";
import type { JsonOptions } from "./unary/messages.ts";

/** How calls look that go through Connect's own transports. */
export type StockOptions = {
  protocol: "grpc" | "connect" | "grpc-web";
  /** What URLs begin with, at each endpoint. */
  baseUrl(endpoint: Endpoint): string;
  useBinaryFormat: boolean;
  jsonOptions: JsonOptions | undefined;
  useHttpGet: boolean;
  interceptors: Interceptor[];
  acceptCompression: Compression[];
  sendCompression: Compression | null;
  compressMinBytes: number;
  readMaxBytes: number;
  writeMaxBytes: number;
};

const transports = {
  grpc: createGrpcTransport,
  connect: createConnectTransport,
  "grpc-web": createGrpcWebTransport,
};

/** Connect's own transports, one for each endpoint. */
export function createStockTransports({ jsonOptions, ...options }: StockOptions): (endpoint: Endpoint) => Transport {
  const known = new WeakMap<Endpoint, Transport>();
  return (endpoint) => {
    let transport = known.get(endpoint);
    if (transport === undefined) {
      const stock = transports[options.protocol]({
        ...options,
        baseUrl: options.baseUrl(endpoint),
        httpClient: endpoint.request,
        ...(jsonOptions === undefined ? {} : { jsonOptions }),
      });
      transport = withTransportFaults(stock, endpoint.url);
      known.set(endpoint, transport);
    }
    return transport;
  };
}
