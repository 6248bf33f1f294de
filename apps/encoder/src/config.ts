import { type ConfigOf, type Env, optional, port, readConfig, secret, serviceSettings, url } from "@kinora/service";

const spec = {
  ...serviceSettings,
  PORT: port({ default: 8082 }),
  /** How workers reach this service for the bytes of videos and streams; if not set, PUBLIC_URL or else the address listened on. */
  INTERNAL_URL: optional(url()),
  /** Where the user service is: it is asked for quota, and its keys verify access tokens. */
  USER_URL: url({ default: "http://localhost:8081" }),
  /** The credential of the workers; without it, the one below KINORA_DATA. */
  WORKER_TOKEN: optional(secret()),
};

/** The encoder's environment. */
export type EncoderConfig = ConfigOf<typeof spec>;

/** Reads the encoder's environment; throws one ConfigError that names everything that is wrong. */
export function readEncoderConfig(env: Env): EncoderConfig {
  return readConfig(env, spec);
}
