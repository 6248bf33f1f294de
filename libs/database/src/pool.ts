import pg from "pg";
import type { DatabaseLogger } from "./database.ts";

/** Limits of one connection; `0` means none. */
export type Limits = { statementMs: number; lockMs: number; idleInTransactionMs: number };

/** No query of a service may take longer than a call to it. */
const serviceLimits: Limits = { statementMs: 30_000, lockMs: 10_000, idleInTransactionMs: 60_000 };

/** The connection string with the schema as search path and the limits, whatever the string says itself. */
export function withSession(url: string, schema: string, limits: Limits): string {
  const session = new URL(url);
  const options = [
    session.searchParams.get("options") ?? "",
    `-c search_path=${schema}`,
    `-c statement_timeout=${limits.statementMs}`,
    `-c lock_timeout=${limits.lockMs}`,
    `-c idle_in_transaction_session_timeout=${limits.idleInTransactionMs}`,
  ];
  session.searchParams.set("options", options.join(" ").trim());
  return session.href;
}

/** Connections of a service, which find the tables of `schema` without a prefix. */
export function createPool(url: string, schema: string, logger: DatabaseLogger): pg.Pool {
  const pool = new pg.Pool({
    connectionString: withSession(url, schema, serviceLimits),
    application_name: `kinora-${schema}`,
    max: 10,
    connectionTimeoutMillis: 10_000,
    // The server ends a statement that takes too long; this is for a server that says nothing at all any more.
    query_timeout: serviceLimits.statementMs + 5_000,
    keepAlive: true,
  });
  // Without a listener a connection that breaks while idle would end the process. The pool opens another. While it ends, its
  // connections may still be saying goodbye when the embedded Postgres stops: no news.
  pool.on("error", (error) => {
    if (!pool.ending) logger.warn({ err: error }, "a database connection broke");
  });
  return pool;
}
