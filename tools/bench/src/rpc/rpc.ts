import type { Benchmark } from "../harness/benchmark.ts";
import { server } from "./parts/server.ts";

/** What calls cost: `npm run bench -- rpc`. */
export const rpc: Benchmark = {
  name: "rpc",
  about: "servers, clients and connections of libs/rpc against raw node:http2, grpc-js, stock connect-node and Fastify",
  parts: [server],
};
