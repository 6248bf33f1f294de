import {
  type ConfigOf,
  type Env,
  integer,
  optional,
  port,
  readConfig,
  secret,
  serviceAddress,
  serviceSettings,
  text,
  tokenIssuer,
  url,
} from "@kinora/service";
import { accountSettings } from "@kinora/user";

const spec = {
  ...serviceSettings,
  PORT: port({ default: 8081 }),
  /** Where the encoder is: it is told of deleted accounts. */
  ENCODER_URL: serviceAddress({ default: "http://localhost:8082" }),
  /** How people's programs reach the encoder, where that isn't ENCODER_URL. */
  ENCODER_PUBLIC_URL: optional(url()),
  ...accountSettings,
  /** Seals the keys that sign access tokens, in the database; all replicas share it. Without it, the one below KINORA_DATA. */
  SIGNING_KEY_SECRET: optional(secret()),
  /** API keys that the encoder and the workers begin with (docs/operating.md); without them, those that they leave below KINORA_DATA. */
  ENCODER_API_KEY: optional(secret({ minLength: 32 })),
  WORKER_API_KEY: optional(secret({ minLength: 32 })),
  /** The issuer of access tokens. Set it to this service's public address once every service knows OpenID discovery (docs/identity.md). */
  TOKEN_ISSUER: text({ default: tokenIssuer, maxLength: 500 }),
  /** Minutes of video that a user may have encoded in a month; 0 for no limit. */
  QUOTA_MINUTES: integer({ default: 0, min: 0, max: 1_000_000_000 }),
  /** Gigabytes of sources and streams that a user may have; 0 for no limit. */
  QUOTA_STORAGE_GB: integer({ default: 0, min: 0, max: 1_000_000 }),
};

/** The user service's environment. */
export type UserConfig = ConfigOf<typeof spec>;

/** Reads the user service's environment; throws one ConfigError that names everything that is wrong. */
export function readUserConfig(env: Env): UserConfig {
  return readConfig(env, spec);
}
