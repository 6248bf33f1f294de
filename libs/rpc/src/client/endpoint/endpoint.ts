import type { UniversalClientFn } from "@connectrpc/connect/protocol";
import type { Logger } from "../../logger.ts";
import { type IncomingReply, receiveReply } from "../stream/incoming-reply.ts";
import { type Address, authorityOf, formatAddress } from "./address.ts";
import { createConnectionPool, type PoolState } from "./connection-pool.ts";
import { createDial, type TlsOptions } from "./dial.ts";
import type { UnaryExchange, UnaryReply } from "./exchange.ts";
import { exchangeUnary } from "./exchange-unary.ts";
import { createStreamClient } from "./stream-client.ts";

export type { Address };

/** One address of a server, its connections, and exchanges over them. */
export type Endpoint = {
  readonly address: Address;
  /** What messages call it, such as `http://localhost:8081`. */
  readonly url: string;
  readonly state: PoolState;
  /** Connects beside the calls if there is no connection. Settles when that is over: `state` tells what came of it. */
  connect(): Promise<void>;
  /** Calls under way, those that wait for a stream included. */
  readonly inFlight: number;
  /** Settles always. A fault is a ConnectError; `isUnseen` says whether the server can have seen the call. */
  unary(exchange: UnaryExchange): Promise<UnaryReply>;
  /** For server streams. Not with HTTP/1.1. */
  receive?: (exchange: UnaryExchange) => Promise<IncomingReply>;
  /** For other streams, under Connect's own transports. */
  request: UniversalClientFn;
  /** Takes no more calls; closes once the last is over. */
  drain(): void;
  /** Ends its connections: calls under way fail as `unavailable`, and so do later ones. */
  close(): void;
};

/** What an endpoint needs to know. */
export type EndpointOptions = {
  address: Address;
  tls?: TlsOptions;
  /** `:authority` of requests, where it isn't the address. */
  authority?: string;
  /** Told when the server can't be reached, and when it can again. */
  logger?: Logger;
};

/** Connects when first called, again whenever a connection is gone, and doesn't keep the process alive while idle. */
export function createEndpoint(options: EndpointOptions): Endpoint {
  const { address, tls, logger } = options;
  const scheme = "path" in address ? "unix" : tls === undefined ? "http" : "https";
  const url = `${scheme}:${scheme === "unix" ? "" : "//"}${formatAddress(address)}`;
  const pool = createConnectionPool(createDial(address, tls), url, logger);
  return {
    address,
    url,
    get state() {
      return pool.state;
    },
    connect: () => pool.connect(),
    get inFlight() {
      return pool.inFlight;
    },
    unary: (exchange) => exchangeUnary(pool, url, exchange),
    receive: (exchange) => receiveReply(pool, url, exchange),
    request: createStreamClient(pool, url, options.authority ?? authorityOf(address)),
    drain: () => pool.drain(),
    close: () => pool.close(),
  };
}
