import {
  type ConfigOf,
  type Env,
  integer,
  oneOf,
  optional,
  path,
  port,
  readConfig,
  secret,
  text,
  url,
} from "@kinora/service";

const spec = {
  PORT: port({ default: 8081 }),
  HOST: text({ default: "127.0.0.1", maxLength: 253 }),
  KINORA_DATA: path({ default: ".kinora" }),
  /** Where this service keeps its tables; without it, in a Postgres of its own below KINORA_DATA. */
  DATABASE_URL: optional(url({ schemes: ["postgres", "postgresql"], secret: true })),
  /** How people's programs reach this service; http://localhost:PORT if not set. */
  PUBLIC_URL: optional(url()),
  /** Where the encoder is: it is told of deleted accounts. */
  ENCODER_URL: url({ default: "http://localhost:8082" }),
  /** Whether people may make accounts themselves. */
  SIGN_UP: oneOf(["open", "closed"], { default: "open" }),
  /** Minutes of video that a user may have encoded in a month; 0 for no limit. */
  QUOTA_MINUTES: integer({ default: 0, min: 0, max: 1_000_000_000 }),
  /** The credential that the services share; without it, the one below KINORA_DATA. */
  SERVICE_TOKEN: optional(secret()),
  LOG_LEVEL: oneOf(["fatal", "error", "warn", "info", "debug", "trace"], { default: "info" }),
  LOG_FORMAT: optional(oneOf(["pretty", "json"])),
};

/** The user service's environment. */
export type UserConfig = ConfigOf<typeof spec>;

/** Reads the user service's environment; throws one ConfigError that names everything that is wrong. */
export function readUserConfig(env: Env): UserConfig {
  return readConfig(env, spec);
}
