import { hostname } from "node:os";
import {
  type ConfigOf,
  commonSettings,
  type Env,
  integer,
  optional,
  port,
  readConfig,
  secret,
  serviceAddress,
  text,
} from "@kinora/service";

const spec = {
  ...commonSettings,
  /** Where the encoder is. */
  ENCODER_URL: serviceAddress({ default: "http://localhost:8082" }),
  /** Where the user service is: it gives access tokens for the worker's API key. Unless set, the encoder is asked. */
  USER_URL: optional(serviceAddress()),
  /** The worker's API key; without it, the one below KINORA_DATA. */
  WORKER_API_KEY: optional(secret({ minLength: 32 })),
  /** Deprecated, and gone with 0.3: the credential that workers and encoder shared. Used where it is set and WORKER_API_KEY isn't. */
  WORKER_TOKEN: optional(secret()),
  /** Tasks at the same time; without it, as many as fill this machine. */
  WORKER_SLOTS: optional(integer({ min: 1, max: 64 })),
  /** Cores to count on; without it, all that this process may run on. In Kubernetes a pod sees those of the whole node, unless it has a limit. */
  WORKER_CORES: optional(integer({ min: 1, max: 1024 })),
  /** Name in the encoder's logs. */
  WORKER_ID: text({ default: `${hostname()}-${process.pid}`, maxLength: 200 }),
  /** Answers /healthz, /readyz and /drain there; without it, the worker serves nothing. */
  PORT: optional(port()),
};

/** The worker's environment. */
export type WorkerConfig = ConfigOf<typeof spec>;

/** Reads the worker's environment; throws one ConfigError that names everything that is wrong. */
export function readWorkerConfig(env: Env): WorkerConfig {
  return readConfig(env, spec);
}
