import type { Logger } from "@kinora/rpc";

/** A logger that keeps its lines: level, then what was said. */
export function recordingLogger(lines: string[]): Logger {
  const at = (level: string) => (fields: object | string, text?: string) =>
    void lines.push(`${level} ${typeof fields === "string" ? fields : `${JSON.stringify(fields)} ${text}`}`);
  const logger: Logger = {
    trace: at("trace"),
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    fatal: at("fatal"),
    child: () => logger,
  };
  return logger;
}
