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
  PORT: port({ default: 8080 }),
  /** The address to listen on; 0.0.0.0 lets other machines in. */
  HOST: text({ default: "127.0.0.1" }),
  /** How browsers and players reach this server; http://localhost:PORT unless set. */
  PUBLIC_URL: optional(url()),
  KINORA_DATA: path({ default: ".kinora" }),
  /** A Postgres server's database; each service takes one of its own beside it, `<database>_user` and `<database>_encoder`. */
  DATABASE_URL: optional(url({ schemes: ["postgres", "postgresql"], secret: true })),
  SIGN_UP: oneOf(["open", "closed"], { default: "open" }),
  QUOTA_MINUTES: integer({ default: 0, min: 0, max: 10_000_000 }),
  /** Encodes at the same time; 0 leaves the work to separate workers. */
  WORKER_SLOTS: integer({ default: 1, min: 0, max: 64 }),
  SERVICE_TOKEN: optional(secret()),
  WORKER_TOKEN: optional(secret()),
  LOG_LEVEL: oneOf(["fatal", "error", "warn", "info", "debug", "trace"], { default: "info" }),
  LOG_FORMAT: optional(oneOf(["pretty", "json"])),
};

/** The monolith's environment. */
export type MonolithConfig = ConfigOf<typeof spec>;

/** Reads the environment; throws one ConfigError that names everything that is wrong. */
export function readMonolithConfig(env: Env): MonolithConfig {
  return readConfig(env, spec);
}
