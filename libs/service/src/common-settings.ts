import type { Logger } from "@kinora/rpc";
import type { ConfigOf } from "./config.ts";
import { oneOf, optional, path, secret, text, url } from "./config-settings.ts";
import { createLogger } from "./logger.ts";
import { telemetrySettings } from "./telemetry/telemetry-settings.ts";

/** What every process lets people set; spread it into the process's own spec. */
export const commonSettings = {
  /** Where everything local lives. */
  KINORA_DATA: path({ default: ".kinora" }),
  /** The address to listen on; 0.0.0.0 lets other machines in. */
  HOST: text({ default: "127.0.0.1", maxLength: 253 }),
  LOG_LEVEL: oneOf(["fatal", "error", "warn", "info", "debug", "trace"], { default: "info" }),
  LOG_FORMAT: optional(oneOf(["pretty", "json"])),
  /** The build.json of the image that runs; images set it. */
  BUILD_FILE: optional(path()),
  ...telemetrySettings,
};

/** What every process with a service lets people set. */
export const serviceSettings = {
  ...commonSettings,
  /** A Postgres database; without it, one of the service's own below KINORA_DATA. */
  DATABASE_URL: optional(url({ schemes: ["postgres", "postgresql"], secret: true })),
  /** How browsers, players and people's programs reach the service; http://localhost:PORT if not set. */
  PUBLIC_URL: optional(url()),
  /** Deprecated, and gone with 0.3: a credential that the services shared. Where it is set, it is taken; API keys replace it. */
  SERVICE_TOKEN: optional(secret()),
  /** Whether shared credentials are still taken; `refused` once every process has an API key, before 0.3 does so for all. */
  SHARED_TOKENS: oneOf(["accepted", "refused"], { default: "accepted" }),
};

/** A logger of the level and format that the environment asks for. */
export function configuredLogger(
  name: string,
  config: Pick<ConfigOf<typeof commonSettings>, "LOG_LEVEL" | "LOG_FORMAT">,
): Logger {
  return createLogger({
    name,
    level: config.LOG_LEVEL,
    ...(config.LOG_FORMAT && { format: config.LOG_FORMAT }),
  });
}
