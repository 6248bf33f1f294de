import type { JWK } from "jose";
import type { Work } from "./bench-routes.ts";

/**
 * What our server has around its handlers. "bare": nothing. "shedding": nothing but that. Otherwise everything that a production service has: tokens verified by `publicKey`, traces of
 * the share `sampled` (0 to 1) of the calls.
 */
export type Around = "bare" | "shedding" | { publicKey: JWK; sampled: number };

/** A server to start in a process of its own. `port` 0 stands for any; a `path` is a Unix socket. */
export type ServerSpec =
  | { kind: "raw-constant" | "raw-exchange"; payloadBytes: number }
  | { kind: "raw-stream"; count: number; payloadBytes: number }
  | {
      kind:
        | "raw-http1-constant"
        | "raw-http1-exchange"
        | "grpc-js"
        | "connect-node-http2"
        | "connect-node-http1"
        | "fastify";
    }
  | { kind: "kinora"; around: Around; work?: Work; port?: number; path?: string };
