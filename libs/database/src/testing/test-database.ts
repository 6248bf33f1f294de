import type { Database } from "../database.ts";
import type { Migration } from "../migrations/migration.ts";

/**
 * Starts a Postgres of its own in a temporary folder, with the migrations done; `close` removes everything. One per
 * test file, in `beforeAll`: it takes about 0.2 s.
 */
export function openTestDatabase(_name: string, _migrations: readonly Migration[]): Promise<Database> {
  throw new Error("not there yet");
}
