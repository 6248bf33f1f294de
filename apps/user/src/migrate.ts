import { openDatabase } from "@kinora/database";
import { configuredLogger, type Env, prepareDataDir } from "@kinora/service";
import { userMigrations } from "@kinora/user";
import { readUserConfig } from "./config.ts";

/** Brings the service's tables up to date, and ends: `--migrate`, for a deploy that does this before the new version comes. */
export async function migrateUser({
  env,
  signal,
}: {
  env: Env;
  signal: AbortSignal;
}): Promise<{ close(): Promise<void> }> {
  const config = readUserConfig(env);
  const logger = configuredLogger("user", config);
  const dataDir = await prepareDataDir(config.KINORA_DATA);
  const database = await openDatabase({
    name: "user",
    dataDir,
    url: config.DATABASE_URL,
    migrations: userMigrations,
    logger,
    signal,
  });
  await database.close();
  logger.info("the tables are up to date");
  return { close: async () => {} };
}
