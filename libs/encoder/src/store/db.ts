import { inTransaction } from "@kinora/database";
import type { Pool, QueryResult, QueryResultRow } from "pg";
import { databaseFault } from "./database-fault.ts";

/** Whatever runs SQL: the database, or a transaction. */
export type Db = {
  query<R extends QueryResultRow>(text: string, values?: unknown[]): Promise<QueryResult<R>>;
};

/** The database. What it throws while it is away is a DomainError `unavailable`. */
export type EncoderDb = Db & {
  /** Runs `work` in a transaction: committed when it resolves, rolled back when it throws or the signal aborts. It may run more than once. */
  transact<T>(signal: AbortSignal | undefined, work: (db: Db) => Promise<T>): Promise<T>;
};

const tries = 3;

/** The database behind a pool of connections. */
export function createDb(pool: Pool): EncoderDb {
  return {
    async query<R extends QueryResultRow>(text: string, values?: unknown[]) {
      try {
        return await pool.query<R>(text, values);
      } catch (error) {
        throw databaseFault(error);
      }
    },
    async transact(signal, work) {
      for (let attempt = 1; ; attempt += 1) {
        try {
          return await inTransaction(pool, signal, work);
        } catch (error) {
          if (attempt === tries || !isConflict(error)) throw databaseFault(error);
        }
      }
    },
  };
}

/** Postgres chose this transaction as the victim of a deadlock or of a serialization failure: it may simply run again. */
function isConflict(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "40P01" || error.code === "40001");
}
