import { formatWithOptions } from "node:util";
import type { Logger, LogMethod } from "@kinora/rpc";

/** Logs to stderr, because stdout belongs to the suite; or nothing, because every second case is about a call that fails. */
export function stderrLogger(verbose: boolean): Logger {
  const log: LogMethod = (...line: unknown[]) => {
    if (verbose) {
      process.stderr.write(`${formatWithOptions({ depth: 6 }, "%s", ...line)}\n`);
    }
  };
  const logger: Logger = { trace: log, debug: log, info: log, warn: log, error: log, fatal: log, child: () => logger };
  return logger;
}
