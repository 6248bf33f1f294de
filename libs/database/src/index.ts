/** Postgres for a service: a server by URL or an embedded one, its connections, its migrations. */
export type { Database, DatabaseLogger, OpenDatabaseOptions } from "./database.ts";
export { isDatabaseAway } from "./database-away.ts";
export { DatabaseError } from "./database-error.ts";
export { withLoan } from "./loan.ts";
export type { Migration } from "./migrations/migration.ts";
export { openDatabase } from "./open-database.ts";
export { inTransaction } from "./transaction.ts";
