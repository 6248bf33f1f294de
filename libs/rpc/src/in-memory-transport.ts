import type { Transport } from "@connectrpc/connect";
import type { ServiceOptions } from "./routes.ts";

/** Calls a service of the same process, through the same gate, interceptors, validation and deadlines as over the wire. */
export function createInMemoryTransport(_options: ServiceOptions & { token?: string }): Transport {
  throw new Error("not there yet");
}
