import type { JWK } from "jose";
import type { Work } from "./bench-routes.ts";

/** What a production service has around it: the key of its callers' tokens and the time at which they are good (ms since 1970), the share of its traces that is recorded (0 to 1), an OTLP collector. */
export type Production = { publicKey: JWK; time: number; sampled: number; collector: string };

/** What our server has around its handlers. "bare": nothing. "shedding": nothing but that. Otherwise everything. */
export type Around = "bare" | "shedding" | Production;

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
