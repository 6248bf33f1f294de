import type { Server } from "node:net";
import { promisify } from "node:util";

/** A server of a benchmark, on a free port of the loopback interface. */
export type RunningServer = { port: number; close(): Promise<void> };

/** Makes Node's servers listen. They are ended by the end of the process, connections and all. */
export async function listen(server: Pick<Server, "listen" | "address" | "close">): Promise<RunningServer> {
  await promisify((done: () => void) => server.listen(0, "127.0.0.1", done))();
  return { port: portOf(server), close: async () => void server.close() };
}

/** The port that a server listens on. */
export function portOf(server: Pick<Server, "address">): number {
  const address = server.address();
  if (address === null || typeof address === "string") {
    throw new Error("listening on something that isn't a port");
  }
  return address.port;
}
