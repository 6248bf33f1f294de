import { type Database, inTransaction, withLoan } from "@kinora/database";
import type { PoolClient } from "pg";
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
          const statement = prepared(text, values);
          return (await withLoan(pool, signal, (client) => client.query<Row>(statement))).rows;
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
