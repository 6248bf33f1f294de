import { encoderSettings } from "@kinora/encoder";
import { type ConfigOf, type Env, integer, optional, port, readConfig, secret, serviceSettings } from "@kinora/service";
import { accountSettings } from "@kinora/user";

const spec = {
  // Of DATABASE_URL each service takes a database of its own beside it: `<database>_user`, `<database>_encoder`.
  ...serviceSettings,
  ...encoderSettings,
  PORT: port({ default: 8080 }),
  ...accountSettings,
  QUOTA_MINUTES: integer({ default: 0, min: 0, max: 10_000_000 }),
  QUOTA_STORAGE_GB: integer({ default: 0, min: 0, max: 1_000_000 }),
  SIGNING_KEY_SECRET: optional(secret()),
  /** Encodes at the same time; without it, as many as fill this machine. 0 leaves the work to separate workers. */
  WORKER_SLOTS: optional(integer({ min: 0, max: 64 })),
  /** The API key of separate workers; without it, the one below KINORA_DATA. */
  WORKER_API_KEY: optional(secret({ minLength: 32 })),
  /** Deprecated, and gone with 0.3, like SERVICE_TOKEN: a credential that workers shared. */
  WORKER_TOKEN: optional(secret()),
};

/** The monolith's environment. */
export type MonolithConfig = ConfigOf<typeof spec>;

/** Reads the environment; throws one ConfigError that names everything that is wrong. */
export function readMonolithConfig(env: Env): MonolithConfig {
  return readConfig(env, spec);
}
