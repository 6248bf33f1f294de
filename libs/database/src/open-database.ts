import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Pool } from "pg";
import { checkVersion } from "./check-version.ts";
import { withConnection } from "./connection.ts";
import type { Database, OpenDatabaseOptions } from "./database.ts";
import { DatabaseError } from "./database-error.ts";
import type { Cluster, ClusterOptions } from "./embedded/open-cluster.ts";
import { withLoan } from "./loan.ts";
import { isMigrated, migrate } from "./migrations/migrate.ts";
import { createPool } from "./pool.ts";
import { openServer } from "./server/open-server.ts";

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
  const first = (url: string) => firstLook(createPool(url, name, logger), options);
  const server = options.url
    ? await openServer({ url: options.url, ownDatabase: options.ownDatabase ? name : undefined, signal, first })
    : await openEmbedded({ folder: join(dataDir, name, "postgres"), dataDir, logger, signal, ...embedded }, first);
  const { pool, isUpToDate } = server.first;
  try {
    if (!isUpToDate) await migrate({ url: server.url, schema: name, migrations, logger, signal });
  } catch (error) {
    await endPool(pool);
    await server.close();
    throw server.explain(error);
  }
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

type First = { pool: Pool; isUpToDate: boolean };

/**
 * What is to be known of a database first is asked on a connection that the service goes on with: another one would cost a handshake.
 */
async function firstLook(
  pool: Pool,
  { name: schema, migrations, logger, signal }: OpenDatabaseOptions,
): Promise<First> {
  try {
    return await withLoan(pool, signal, async (client) => {
      await checkVersion(client, logger);
      return { pool, isUpToDate: await isMigrated(client, { schema, migrations, logger }) };
    });
  } catch (error) {
    void endPool(pool); // which may wait for a server that says nothing
    throw error;
  }
}

/** The embedded one's program is loaded only here: who has a server of their own needs none of it. */
async function openEmbedded(
  options: ClusterOptions,
  first: (url: string) => Promise<First>,
): Promise<Cluster & { first: First }> {
  const { openCluster } = await import("./embedded/open-cluster.ts");
  const cluster = await openCluster(options);
  try {
    return { ...cluster, first: await first(cluster.url) };
  } catch (error) {
    await cluster.close();
    throw cluster.explain(error);
  }
}

const checkMs = 3_000;

/**
 * By a connection that has nothing to do, where there is one, and else by its own: a pool whose connections are all busy, or broken, is no reason to call the database
 * unavailable.
 */
async function check(pool: Pool, url: string, signal: AbortSignal | undefined): Promise<void> {
  const stop = AbortSignal.any([AbortSignal.timeout(checkMs), ...(signal ? [signal] : [])]);
  if (pool.idleCount > 0 && pool.waitingCount === 0) {
    const answered = await withLoan(pool, AbortSignal.any([stop, AbortSignal.timeout(checkMs / 2)]), (client) =>
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
