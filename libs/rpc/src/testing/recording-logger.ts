import type { Logger, LogMethod } from "../logger.ts";

/** A line that was logged. */
export type LogLine = { level: string; fields: Record<string, unknown>; message: string };

/** A logger that keeps its lines for a test to look at. */
export function recordingLogger(lines: LogLine[] = []): Logger & { lines: LogLine[] } {
  const at =
    (level: string): LogMethod =>
    (fields: object | string, message?: string) => {
      lines.push(
        typeof fields === "string"
          ? { level, fields: {}, message: fields }
          : { level, fields: Object.fromEntries(Object.entries(fields)), message: message ?? "" },
      );
    };
  return {
    lines,
    trace: at("trace"),
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    fatal: at("fatal"),
    child: () => recordingLogger(lines),
  };
}
