import type { ServiceOptions } from "./routes.ts";

/** What `createServer` needs. `ready` throws while the service can't take calls (its database is away, for example). */
export type ServerOptions = ServiceOptions & { ready?: () => Promise<void> };

/** Serves RPCs and plain HTTP on one port. */
export type RpcServer = {
  /** Port 0 stands for any free one. The answer says where it listens. Rejects with Node's error (EADDRINUSE, EACCES …). */
  listen(address: { port: number; host: string }): Promise<{ url: string; port: number }>;
  /** NOT_SERVING, no new connections and streams, calls in flight finish, close; after `graceMs` (4000) whatever is left is cut. */
  close(graceMs?: number): Promise<void>;
};

/** Serves a service on one port: HTTP/1.1 and HTTP/2 without TLS; Connect, gRPC, gRPC-Web and JSON. */
export function createServer(_options: ServerOptions): RpcServer {
  throw new Error("not there yet");
}
