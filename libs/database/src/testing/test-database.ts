import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Database, DatabaseLogger } from "../database.ts";
import type { Migration } from "../migrations/migration.ts";
import { openDatabaseWith } from "../open-database.ts";
import { copyClusterTemplate } from "./cluster-template.ts";

/**
 * Starts a Postgres of its own in a temporary folder, with the migrations done; `close` removes everything. One per
 * test file, in `beforeAll`.
 */
export async function openTestDatabase(name: string, migrations: readonly Migration[]): Promise<Database> {
  const dataDir = await mkdtemp(join(tmpdir(), "kinora-test-database-"));
  const remove = () => rm(dataDir, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  try {
    await copyClusterTemplate(join(dataDir, name, "postgres"));
    const database = await openDatabaseWith({ name, dataDir, migrations, logger: quiet }, { durable: false });
    return {
      ...database,
      async close() {
        await database.close();
        await remove();
      },
    };
  } catch (error) {
    await remove();
    throw error;
  }
}

const quiet: DatabaseLogger = { info() {}, warn() {}, error() {} };
