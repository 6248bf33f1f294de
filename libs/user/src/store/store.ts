import { type Database, inTransaction } from "@kinora/database";
import type { PoolClient } from "pg";
import { databaseFault } from "./database-fault.ts";

/** Runs SQL statements. */
export type Sql = {
  query<Row extends object>(text: string, values?: readonly unknown[]): Promise<Row[]>;
};

/** A transaction; the client is for libraries that join it (pg-boss). */
export type Transaction = Sql & { client: PoolClient };

/** The database as this service uses it. Faults that pass by themselves throw `unavailable` or `aborted`. */
export type Store = {
  /** Statements outside a transaction, given up when the signal aborts. */
  on(signal: AbortSignal): Sql;
  /** Runs `work` in one transaction (READ COMMITTED); rolled back when it throws or the signal aborts. */
  transaction<T>(signal: AbortSignal, work: (tx: Transaction) => Promise<T>): Promise<T>;
};

/** The longest that one statement may take, in milliseconds: ours need single ones, so more means a lock that somebody keeps. */
const statementTimeoutMs = 5_000;

export function createStore({ pool }: Pick<Database, "pool">): Store {
  return {
    on: (signal) => ({
      async query<Row extends object>(text: string, values: readonly unknown[] = []) {
        signal.throwIfAborted();
        try {
          const client = await pool.connect();
          return await queryOnce<Row>(client, signal, text, values);
        } catch (error) {
          signal.throwIfAborted();
          throw databaseFault(error);
        }
      },
    }),
    async transaction(signal, work) {
      try {
        return await inTransaction(pool, signal, async (client) => {
          await client.query(`set local statement_timeout = ${statementTimeoutMs}`);
          return await work({
            client,
            query: async <Row extends object>(text: string, values: readonly unknown[] = []) =>
              (await client.query<Row>(text, [...values])).rows,
          });
        });
      } catch (error) {
        throw databaseFault(error);
      }
    },
  };
}

/** One statement on a client that is given back afterwards, whole or, when the signal aborts, by closing its connection. */
async function queryOnce<Row extends object>(
  client: PoolClient,
  signal: AbortSignal,
  text: string,
  values: readonly unknown[],
): Promise<Row[]> {
  let released = false;
  const release = (broken?: Error) => {
    if (released) return;
    released = true;
    client.off("error", release);
    signal.removeEventListener("abort", onAbort);
    client.release(broken);
  };
  const onAbort = () => release(new Error("the call was given up"));
  // While a client is checked out nobody else listens for the end of its connection, and an unheard `error` ends the process.
  client.on("error", release);
  signal.addEventListener("abort", onAbort);
  try {
    const { rows } = await client.query<Row>(text, [...values]);
    release();
    return rows;
  } catch (error) {
    // A statement that Postgres refuses leaves the connection usable; anything else doesn't.
    release(error instanceof Error && "severity" in error ? undefined : (error as Error));
    throw error;
  }
}
