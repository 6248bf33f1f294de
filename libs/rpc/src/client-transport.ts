import type { Transport } from "@connectrpc/connect";
import type { Logger } from "./logger.ts";

/** How to reach a server. */
export type ClientTransportOptions = {
  baseUrl: string;
  token?: string | (() => Promise<string>);
  /** Deadline of a unary call that states none, in milliseconds; 10,000 if not given. */
  timeoutMs?: number;
  protocol?: "grpc" | "connect";
  logger?: Logger;
};

/** A transport that can be closed; calls under way fail as `canceled`. */
export type ClientTransport = Transport & { close(): void };

/** Calls a server over HTTP/2 without TLS (or with, for https). */
export function createClientTransport(_options: ClientTransportOptions): ClientTransport {
  throw new Error("not there yet");
}
