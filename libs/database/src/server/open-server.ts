import type { DatabaseLogger } from "../database.ts";

export type ServerOptions = {
  url: string;
  /** The service that gets a database of its own. */
  ownDatabase: string | undefined;
  logger: DatabaseLogger;
  signal?: AbortSignal | undefined;
};

export async function openServer(_options: ServerOptions): Promise<{ url: string; close(): Promise<void> }> {
  throw new Error("not there yet");
}
