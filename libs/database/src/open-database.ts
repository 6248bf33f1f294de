import type { Database, OpenDatabaseOptions } from "./database.ts";

/**
 * Opens a service's database and brings its schema up to date.
 * @throws {DatabaseError} with one line for the person who started the process
 */
export function openDatabase(_options: OpenDatabaseOptions): Promise<Database> {
  throw new Error("not there yet");
}
