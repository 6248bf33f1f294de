import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { withConnection } from "../connection.ts";
import type { DatabaseLogger } from "../database.ts";
import { DatabaseError } from "../database-error.ts";
import { describeAddress, parseDatabaseUrl, withDatabase } from "./address.ts";
import { explainConnection } from "./explain-connection.ts";

export type ServerOptions = {
  url: string;
  /** The service that gets a database of its own. */
  ownDatabase: string | undefined;
  logger: DatabaseLogger;
  signal?: AbortSignal | undefined;
  /** How long to wait for a server that isn't there yet. */
  patienceMs?: number;
  /** What is to be done on the first connection to the service's database, as another one would cost a handshake more. */
  first?: { session(url: string): pg.ClientConfig; work(client: pg.Client, url: string): Promise<void> };
};

const oldest = 150_000; // server_version_num

/** A database on somebody's own server. */
export type Server = {
  url: string;
  /** Turns an error of using it into a DatabaseError. */
  explain(error: unknown): unknown;
  close(): Promise<void>;
};

/**
 * Waits for the database of somebody's own server and makes the service's database there if it is to have one.
 * @returns the connection string of the database to use
 * @throws {DatabaseError}
 */
export async function openServer(options: ServerOptions): Promise<Server> {
  const base = parseDatabaseUrl(options.url);
  let url = base;
  if (options.ownDatabase) {
    const database = `${describeAddress(base).database}_${options.ownDatabase}`;
    url = withDatabase(base, database);
    const exists = await withClient(base, options, (client) => databaseExists(client, database));
    if (!exists) await withClient(base, options, (client) => createDatabase(client, base, database));
  }
  const explain = (error: unknown) => {
    if (!(error instanceof pg.DatabaseError)) return error;
    return new DatabaseError(explainConnection(error, describeAddress(url)).sentence, { cause: error });
  };
  let failure: { error: unknown } | undefined;
  await withClient(
    url,
    options,
    async (client) => {
      await checkVersion(client, options.logger);
      // What goes wrong from here on is no reason to connect again.
      await options.first?.work(client, url.href).catch((error: unknown) => {
        failure = { error };
      });
    },
    options.first?.session(url.href),
  );
  options.signal?.throwIfAborted();
  if (failure !== undefined) throw explain(failure.error);
  return { url: url.href, explain, close: async () => {} };
}

async function checkVersion(client: pg.Client, logger: DatabaseLogger): Promise<void> {
  const { rows } = await client.query<{ version: string; number: string }>(
    "SELECT version() AS version, current_setting('server_version_num') AS number",
  );
  const [found] = rows;
  if (found && Number(found.number) < oldest) {
    logger.warn({ version: found.version }, "this Postgres is older than 15, with which Kinora isn't tested");
  }
}

/** Runs `work` with a connection, repeating while there is hope that the server comes up. */
async function withClient<T>(
  url: URL,
  { signal, patienceMs = 10_000 }: ServerOptions,
  work: (client: pg.Client) => Promise<T>,
  session: pg.ClientConfig = { connectionString: url.href, query_timeout: 30_000 },
): Promise<T> {
  const deadline = performance.now() + patienceMs;
  for (;;) {
    try {
      return await withConnection(session, signal, work);
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof DatabaseError) throw error;
      const { sentence, mayPass } = explainConnection(error, describeAddress(url));
      if (!mayPass || performance.now() > deadline) throw new DatabaseError(sentence, { cause: error });
    }
    await sleep(250, undefined, { signal }).catch(() => {}); // the next attempt throws the signal's reason
  }
}

async function databaseExists(client: pg.Client, database: string): Promise<boolean> {
  const found = await client.query("SELECT FROM pg_database WHERE datname = $1", [database]);
  return found.rowCount !== 0;
}

const duplicate = ["42P04", "23505"]; // another process made it at the same time
const forbidden = "42501";

async function createDatabase(client: pg.Client, base: URL, database: string): Promise<void> {
  try {
    await client.query(`CREATE DATABASE ${pg.escapeIdentifier(database)}`);
  } catch (error) {
    if (!(error instanceof pg.DatabaseError)) throw error;
    if (error.code && duplicate.includes(error.code)) return;
    if (error.code !== forbidden) throw error;
    const { user, server } = describeAddress(base);
    throw new DatabaseError(
      `The user "${user}" may not make the database "${database}" on ${server}. Make it (CREATE DATABASE ${database} OWNER ${user}), or let the user do so (ALTER ROLE ${user} CREATEDB).`,
      { cause: error },
    );
  }
}
