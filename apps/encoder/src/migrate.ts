import { openDatabase } from "@kinora/database";
import { migrations } from "@kinora/encoder";
import { configuredLogger, type Env, prepareDataDir } from "@kinora/service";
import { readEncoderConfig } from "./config.ts";

/** Brings the service's tables up to date, and ends: `--migrate`, for a deploy that does this before the new version comes. */
export async function migrateEncoder({
  env,
  signal,
}: {
  env: Env;
  signal: AbortSignal;
}): Promise<{ close(): Promise<void> }> {
  const config = readEncoderConfig(env);
  const logger = configuredLogger("encoder", config);
  const dataDir = await prepareDataDir(config.KINORA_DATA);
  const database = await openDatabase({
    name: "encoder",
    dataDir,
    url: config.DATABASE_URL,
    migrations,
    logger,
    signal,
  });
  await database.close();
  logger.info("the tables are up to date");
  return { close: async () => {} };
}
