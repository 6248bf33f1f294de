import { createHash } from "node:crypto";
import pg from "pg";
import { withConnection } from "../connection.ts";
import type { DatabaseLogger } from "../database.ts";
import { DatabaseError } from "../database-error.ts";
import { withSession } from "../pool.ts";
import type { Migration } from "./migration.ts";
import { type Applied, assertOrdered, checksum, pending } from "./pending.ts";

/** What is migrated, and how. */
export type MigrateOptions = {
  url: string;
  schema: string;
  migrations: readonly Migration[];
  logger: DatabaseLogger;
  signal?: AbortSignal | undefined;
  /** How long to wait for another process that migrates the same schema, or for a lock on a table. */
  lockMs?: number;
};

const defaultLockMs = 120_000;
const lockTimeout = "55P03";
const noSuchTable = "42P01";
/** Classes of SQLSTATE that aren't the migration's fault: connection, resources (full disk), operator, system. */
const ofTheServer = /^(08|53|57|58)/;

/**
 * Brings the schema up to date: makes it if it is missing, then runs what hasn't run yet, each migration in a
 * transaction with its own record. Every step is under one advisory lock, so that replicas which start together take
 * turns; the lock belongs to the transaction, so that it also works through a connection pooler. Where all has run
 * already, that takes one question.
 * @throws {DatabaseError}
 */
export async function migrate(options: MigrateOptions): Promise<void> {
  const { url, schema, signal, lockMs = defaultLockMs } = options;
  const session = {
    connectionString: withSession(url, schema, { statementMs: 0, lockMs, idleInTransactionMs: 60_000 }),
    application_name: `kinora-${schema}-migrations`,
  };
  try {
    await withConnection(session, signal, async (client) => {
      if (await isMigrated(client, options)) return;
      await locked(client, schema, () => makeHistory(client, schema));
      let first = true;
      while (await locked(client, schema, () => step(client, options, first))) first = false;
    });
  } catch (error) {
    if (!(error instanceof pg.DatabaseError) || error.code !== lockTimeout) throw error;
    throw new DatabaseError(
      `The tables of "${schema}" could not be migrated: something else has kept them locked for ${lockMs / 1000} s. Start again when it is done.`,
      { cause: error },
    );
  }
}

/**
 * Whether every migration has run, by one question on a connection that finds the schema's tables.
 * @throws {DatabaseError} when what was run isn't what this program would have run
 */
export async function isMigrated(
  client: pg.ClientBase,
  options: Pick<MigrateOptions, "schema" | "migrations" | "logger">,
): Promise<boolean> {
  assertOrdered(options.migrations);
  const known = await history(client).catch(withoutHistory);
  return known !== undefined && isUpToDate(options, known);
}

/** Whether nothing is left to run. */
function isUpToDate(
  { schema, migrations, logger }: Pick<MigrateOptions, "schema" | "migrations" | "logger">,
  known: Applied[],
): boolean {
  const { run, unknown } = pending(migrations, known);
  if (run.length > 0) return false;
  warnOfNewer({ schema, logger }, unknown);
  return true;
}

function warnOfNewer({ schema, logger }: Pick<MigrateOptions, "schema" | "logger">, unknown: string[]): void {
  if (unknown.length === 0) return;
  logger.warn({ schema, migrations: unknown }, "a newer version has migrated this database; going on");
}

/** Runs the next migration, if there is one; whether there may be more. */
async function step(client: pg.Client, options: MigrateOptions, first: boolean): Promise<boolean> {
  const { schema, migrations, logger } = options;
  const { run, unknown } = pending(migrations, await history(client));
  if (first) warnOfNewer({ schema, logger }, unknown);
  const [next] = run;
  if (!next) return false;
  await apply(client, next);
  logger.info({ schema, migration: next.name }, "migrated");
  return run.length > 1;
}

async function locked<T>(client: pg.Client, schema: string, work: () => Promise<T>): Promise<T> {
  await client.query("BEGIN");
  try {
    await client.query("SELECT pg_advisory_xact_lock($1)", [lockKey(schema)]);
    const result = await work();
    await client.query("COMMIT");
    return result;
  } catch (error) {
    await client.query("ROLLBACK").catch(() => {}); // the connection may be gone
    throw error;
  }
}

/** The first 64 bits of a hash: other users of advisory locks on the same server won't meet it by chance. */
function lockKey(schema: string): string {
  return createHash("sha256").update(`kinora migrations of ${schema}`).digest().readBigInt64BE(0).toString();
}

async function makeHistory(client: pg.Client, schema: string): Promise<void> {
  const found = await client.query("SELECT FROM pg_namespace WHERE nspname = $1", [schema]);
  // IF NOT EXISTS would ask for the right to make schemas even if it is there.
  if (found.rowCount === 0) await client.query(`CREATE SCHEMA ${pg.escapeIdentifier(schema)}`);
  await client.query(
    "CREATE TABLE IF NOT EXISTS schema_migration (name text PRIMARY KEY, checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())",
  );
}

async function history(client: pg.ClientBase): Promise<Applied[]> {
  const { rows } = await client.query<Applied>("SELECT name, checksum FROM schema_migration ORDER BY name");
  return rows;
}

function withoutHistory(error: unknown): undefined {
  if (error instanceof pg.DatabaseError && error.code === noSuchTable) return undefined;
  throw error;
}

async function apply(client: pg.Client, { name, sql }: Migration): Promise<void> {
  try {
    await client.query(sql);
  } catch (error) {
    const code = error instanceof pg.DatabaseError ? error.code : undefined;
    if (error instanceof Error && code !== undefined && code !== lockTimeout && !ofTheServer.test(code)) {
      throw new DatabaseError(`Migration ${name} failed: ${error.message}. Nothing of it was kept.`, { cause: error });
    }
    throw error;
  }
  // now() is when the transaction began, which may have been before others had their turn.
  await client.query("INSERT INTO schema_migration (name, checksum, applied_at) VALUES ($1, $2, clock_timestamp())", [
    name,
    checksum(sql),
  ]);
}
