import { createInMemoryTransport } from "@kinora/rpc";
import { benchRoutes } from "../servers/bench-routes.ts";
import { optionsFor } from "../servers/kinora.ts";
import type { BenchClient } from "./bench-client.ts";
import type { InMemorySpec } from "./client-spec.ts";
import { createTransportClient } from "./connect.ts";

/** Connect's client over our in-memory transport: the monolith's form of a call. */
export async function createInMemoryClient(spec: InMemorySpec): Promise<BenchClient> {
  const transport = createInMemoryTransport({ routes: benchRoutes(), ...(await optionsFor(spec.around)) });
  return createTransportClient(transport, spec);
}
