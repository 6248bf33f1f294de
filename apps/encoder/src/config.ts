import { encoderSettings } from "@kinora/encoder";
import {
  type ConfigOf,
  type Env,
  optional,
  port,
  readConfig,
  secret,
  serviceAddress,
  serviceSettings,
  url,
} from "@kinora/service";

const spec = {
  ...serviceSettings,
  ...encoderSettings,
  PORT: port({ default: 8082 }),
  /** How workers reach this service for the bytes of videos and streams; if not set, PUBLIC_URL or else the address listened on. */
  INTERNAL_URL: optional(url()),
  /** Where the user service is: it is asked for quota, and its keys verify access tokens. */
  USER_URL: serviceAddress({ default: "http://localhost:8081" }),
  /** How people's programs reach the user service, where that isn't USER_URL. */
  USER_PUBLIC_URL: optional(url()),
  /** The encoder's API key, which it exchanges at the user service; without it, the one below KINORA_DATA. */
  ENCODER_API_KEY: optional(secret({ minLength: 32 })),
  /** Deprecated, and gone with 0.3: a credential that workers shared. Where it is set, it is taken; API keys replace it. */
  WORKER_TOKEN: optional(secret()),
  /** Who shows this reads /metrics/queue, to scale the workers by; without it, nobody can. */
  METRICS_TOKEN: optional(secret()),
};

/** The encoder's environment. */
export type EncoderConfig = ConfigOf<typeof spec>;

/** Reads the encoder's environment; throws one ConfigError that names everything that is wrong. */
export function readEncoderConfig(env: Env): EncoderConfig {
  return readConfig(env, spec);
}
