import { type ConfigOf, type Env, oneOf, optional, path, port, readConfig, secret, text, url } from "@kinora/service";

const spec = {
  PORT: port({ default: 8082 }),
  /** The address to listen on; 0.0.0.0 lets other machines in. */
  HOST: text({ default: "127.0.0.1", maxLength: 253 }),
  /** Objects, uploads and, without DATABASE_URL, the Postgres are below its folder `encoder`. */
  KINORA_DATA: path({ default: ".kinora" }),
  /** Where this service keeps its tables and queues; without it, in a Postgres of its own below KINORA_DATA. */
  DATABASE_URL: optional(url({ schemes: ["postgres", "postgresql"], secret: true })),
  /** How players and browsers reach this service; http://localhost:PORT if not set. */
  PUBLIC_URL: optional(url()),
  /** How workers reach this service for the bytes of videos and streams; if not set, PUBLIC_URL or else the address listened on. */
  INTERNAL_URL: optional(url()),
  /** Where the user service is: it is asked for quota, and its keys verify access tokens. */
  USER_URL: url({ default: "http://localhost:8081" }),
  /** The credential that the services share; without it, the one below KINORA_DATA. */
  SERVICE_TOKEN: optional(secret()),
  /** The credential of the workers; without it, the one below KINORA_DATA. */
  WORKER_TOKEN: optional(secret()),
  LOG_LEVEL: oneOf(["fatal", "error", "warn", "info", "debug", "trace"], { default: "info" }),
  LOG_FORMAT: optional(oneOf(["pretty", "json"])),
};

/** The encoder's environment. */
export type EncoderConfig = ConfigOf<typeof spec>;

/** Reads the encoder's environment; throws one ConfigError that names everything that is wrong. */
export function readEncoderConfig(env: Env): EncoderConfig {
  return readConfig(env, spec);
}
