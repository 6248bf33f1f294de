import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Pool } from "pg";
import { withConnection } from "./connection.ts";
import type { Database, OpenDatabaseOptions } from "./database.ts";
import { DatabaseError } from "./database-error.ts";
import type { Cluster, ClusterOptions } from "./embedded/open-cluster.ts";
import { migrate, migrateOver, migrationSession } from "./migrations/migrate.ts";
import { createPool } from "./pool.ts";
import { openServer } from "./server/open-server.ts";
import { inTransaction } from "./transaction.ts";

/**
 * Opens a service's database and brings its schema up to date.
 * @throws {DatabaseError} with one line for the person who started the process
 */
export function openDatabase(options: OpenDatabaseOptions): Promise<Database> {
  return openDatabaseWith(options, { durable: true });
}

/** The same for tests, which don't need every row to survive a power cut. */
export async function openDatabaseWith(
  options: OpenDatabaseOptions,
  embedded: { durable: boolean },
): Promise<Database> {
  const { name, dataDir, migrations, logger, signal } = options;
  if (!/^[a-z][a-z0-9_]{0,30}$/.test(name)) throw new Error(`"${name}" can't be the name of a Postgres schema.`);
  if (process.platform === "win32") {
    throw new DatabaseError("Kinora doesn't run on Windows itself. Run it in WSL, the Windows Subsystem for Linux.");
  }
  const migration = (url: string) => ({ url, schema: name, migrations, logger, signal });
  const server = options.url
    ? await openServer({
        url: options.url,
        ownDatabase: options.ownDatabase ? name : undefined,
        logger,
        signal,
        first: {
          session: (url) => migrationSession(migration(url)),
          work: (client, url) => migrateOver(client, migration(url)),
        },
      })
    : await openEmbedded({ folder: join(dataDir, name, "postgres"), dataDir, logger, signal, ...embedded });
  if (!options.url) {
    try {
      await migrate(migration(server.url));
    } catch (error) {
      await server.close();
      throw server.explain(error);
    }
  }
  const pool = createPool(server.url, name, logger);
  let closing: Promise<void> | undefined;
  const close = async () => {
    await endPool(pool);
    await server.close();
  };
  return {
    url: server.url,
    pool,
    async check(signal) {
      if (closing) throw new Error("the database is closed");
      await check(pool, server.url, signal);
    },
    close() {
      closing ??= close();
      return closing;
    },
  };
}

/** Loaded only here: who has a server of his own needs none of it. */
async function openEmbedded(options: ClusterOptions): Promise<Cluster> {
  const { openCluster } = await import("./embedded/open-cluster.ts");
  return openCluster(options);
}

const checkMs = 3_000;

/**
 * By a connection that has nothing to do, where there is one, and else by its own: a pool whose connections are all busy, or broken, is no reason to call the database
 * unavailable.
 */
async function check(pool: Pool, url: string, signal: AbortSignal | undefined): Promise<void> {
  const stop = AbortSignal.any([AbortSignal.timeout(checkMs), ...(signal ? [signal] : [])]);
  if (pool.idleCount > 0 && pool.waitingCount === 0) {
    const answered = await inTransaction(pool, AbortSignal.any([stop, AbortSignal.timeout(checkMs / 2)]), (client) =>
      client.query("SELECT 1"),
    ).catch(() => undefined);
    if (answered !== undefined) return;
    stop.throwIfAborted();
  }
  await withConnection({ connectionString: url, application_name: "kinora-check" }, stop, (client) =>
    client.query("SELECT 1"),
  );
}

/** Lets queries that are running finish, within reason: a connection that was never given back mustn't hold up the end. */
async function endPool(pool: Pool): Promise<void> {
  const patience = new AbortController();
  await Promise.race([pool.end(), sleep(1_000, undefined, { signal: patience.signal }).catch(() => {})]);
  patience.abort();
}
