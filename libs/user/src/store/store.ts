import { type Database, inTransaction } from "@kinora/database";
import type { Pool, PoolClient } from "pg";
import { databaseFault } from "./database-fault.ts";
import { prepared } from "./prepared.ts";

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

export function createStore({ pool }: Pick<Database, "pool">): Store {
  return {
    on: (signal) => ({
      async query<Row extends object>(text: string, values: readonly unknown[] = []) {
        try {
          return await queryOnce<Row>(pool, signal, text, values);
        } catch (error) {
          signal.throwIfAborted();
          throw databaseFault(error);
        }
      },
    }),
    async transaction(signal, work) {
      try {
        return await inTransaction(pool, signal, (client) =>
          work({
            client,
            query: async <Row extends object>(text: string, values: readonly unknown[] = []) =>
              (await client.query<Row>(prepared(text, values))).rows,
          }),
        );
      } catch (error) {
        throw databaseFault(error);
      }
    },
  };
}

/** One statement on a connection of its own, which is given back afterwards or, when the signal aborts meanwhile, closed. */
async function queryOnce<Row extends object>(
  pool: Pool,
  signal: AbortSignal,
  text: string,
  values: readonly unknown[],
): Promise<Row[]> {
  const client = await checkOut(pool, signal);
  let released = false;
  const release = (broken?: Error) => {
    if (released) return;
    released = true;
    signal.removeEventListener("abort", giveUp);
    client.off("error", release);
    client.release(broken);
  };
  const giveUp = () => release(new Error("the call was given up"));
  // While a client is checked out nobody else listens for the end of its connection, and an unheard `error` ends the process.
  client.on("error", release);
  signal.addEventListener("abort", giveUp);
  try {
    const { rows } = await client.query<Row>(prepared(text, values));
    release();
    return rows;
  } catch (error) {
    // A statement that Postgres refuses leaves the connection usable; anything else doesn't.
    release(isStatementError(error) ? undefined : new Error("the connection broke"));
    throw error;
  }
}

/** A connection of the pool, or the signal's reason when it aborts while all are busy. */
function checkOut(pool: Pool, signal: AbortSignal): Promise<PoolClient> {
  signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    const giveUp = () => reject(signal.reason);
    signal.addEventListener("abort", giveUp, { once: true });
    pool.connect().then((client) => {
      signal.removeEventListener("abort", giveUp);
      if (signal.aborted) client.release();
      else resolve(client);
    }, reject);
  });
}

function isStatementError(error: unknown): boolean {
  return error instanceof Error && "severity" in error && error.severity === "ERROR";
}
