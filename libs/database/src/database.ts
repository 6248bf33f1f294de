import type { Pool } from "pg";
import type { Migration } from "./migrations/migration.ts";

/** What this library asks of a logger; pino's and `@kinora/rpc`'s fit. */
export type DatabaseLogger = {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
};

/** An open database with its migrations done. */
export type Database = {
  /**
   * Connection string of the same database for libraries that make their own connections (pg-boss). It holds the
   * password and, with the embedded Postgres, a path that only this process can resolve: never log it, never hand it on.
   */
  readonly url: string;
  /** Its connections find the service's tables without a prefix: the search path is the schema named after the service. */
  readonly pool: Pool;
  /** Resolves when the database answers `SELECT 1`; rejects otherwise. */
  check(signal?: AbortSignal): Promise<void>;
  /** Ends the connections, then stops the embedded Postgres. Close what uses `url` and `pool` first. May be called twice. */
  close(): Promise<void>;
};

/** Which database, and what must be in it. */
export type OpenDatabaseOptions = {
  /** The service; its tables live in a Postgres schema of this name. */
  name: string;
  /** KINORA_DATA. The embedded Postgres lives in `<dataDir>/<name>/postgres`. */
  dataDir: string;
  /** DATABASE_URL. Without it the embedded Postgres is started. */
  url?: string | undefined;
  /** Uses database `<database of url>_<name>` on the server of `url`, made if missing. For processes that hold several services. */
  ownDatabase?: boolean;
  migrations: readonly Migration[];
  logger: DatabaseLogger;
  /** Gives up opening. Has no effect on an open database. */
  signal?: AbortSignal | undefined;
};
