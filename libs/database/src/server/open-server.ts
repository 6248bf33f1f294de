import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { withConnection } from "../connection.ts";
import { DatabaseError } from "../database-error.ts";
import { describeAddress, parseDatabaseUrl, withDatabase } from "./address.ts";
import { explainConnection } from "./explain-connection.ts";

export type ServerOptions<T> = {
  url: string;
  /** The service that gets a database of its own. */
  ownDatabase: string | undefined;
  signal?: AbortSignal | undefined;
  /** How long to wait for a server that isn't there yet. */
  patienceMs?: number;
  /** The first use of the service's database: repeated while there is hope that the server comes up. */
  first: (url: string) => Promise<T>;
};

/** A database on somebody's own server. */
export type Server<T> = {
  url: string;
  /** What `first` came to. */
  first: T;
  /** Turns an error of using it into a DatabaseError. */
  explain(error: unknown): unknown;
  close(): Promise<void>;
};

/**
 * Waits for the database of somebody's own server and makes the service's database there if it is to have one.
 * @returns the connection string of the database to use
 * @throws {DatabaseError}
 */
export async function openServer<T>(options: ServerOptions<T>): Promise<Server<T>> {
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
  const first = await patiently(url, options, () => options.first(url.href));
  return { url: url.href, first, explain, close: async () => {} };
}

type Patience = Pick<ServerOptions<unknown>, "signal" | "patienceMs">;

/** Runs `work` with a connection of its own, repeating as `patiently` does. */
function withClient<T>(url: URL, options: Patience, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const session = { connectionString: url.href, query_timeout: 30_000 };
  return patiently(url, options, () => withConnection(session, options.signal, work));
}

/** Does what needs the server, repeating while there is hope that it comes up. */
async function patiently<T>(url: URL, { signal, patienceMs = 10_000 }: Patience, work: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + patienceMs;
  for (;;) {
    try {
      return await work();
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
