import type { Benchmark } from "../harness/benchmark.ts";
import { boundary } from "./parts/boundary.ts";
import { client } from "./parts/client.ts";
import { http1 } from "./parts/http1.ts";
import { memory } from "./parts/memory.ts";
import { overload } from "./parts/overload.ts";
import { restart } from "./parts/restart.ts";
import { server, server1kB, server100kB } from "./parts/server.ts";
import { slowBackend } from "./parts/slow-backend.ts";
import { stream } from "./parts/stream.ts";

/** What calls cost: `npm run bench -- rpc`. */
export const rpc: Benchmark = {
  name: "rpc",
  about: "servers, clients and connections of libs/rpc against raw node:http2, grpc-js, stock connect-node and Fastify",
  parts: [server, server1kB, server100kB, http1, stream, client, boundary, restart, overload, slowBackend, memory],
};
