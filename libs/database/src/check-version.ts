import type pg from "pg";
import type { DatabaseLogger } from "./database.ts";

const oldest = 150_000; // server_version_num

/** Warns of a server that is too old. */
export async function checkVersion(client: pg.ClientBase, logger: DatabaseLogger): Promise<void> {
  const { rows } = await client.query<{ version: string; number: string }>(
    "SELECT version() AS version, current_setting('server_version_num') AS number",
  );
  const [found] = rows;
  if (found && Number(found.number) < oldest) {
    logger.warn({ version: found.version }, "this Postgres is older than 15, with which Kinora isn't tested");
  }
}
