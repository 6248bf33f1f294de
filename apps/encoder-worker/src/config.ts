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
  /** The worker's credential; without it, the one below KINORA_DATA. */
  WORKER_TOKEN: optional(secret()),
  /** Tasks at the same time. */
  WORKER_SLOTS: integer({ default: 1, min: 1, max: 64 }),
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
