import type { Logger } from "@kinora/rpc";

/** A line of a log. */
export type LogLine = {
  level: "trace" | "debug" | "info" | "warn" | "error" | "fatal";
  message: string;
  fields: object;
};

/** A logger that keeps its lines. */
export function recordedLogger(): { logger: Logger; lines: LogLine[] } {
  const lines: LogLine[] = [];
  const make = (own: object): Logger => {
    const write =
      (level: LogLine["level"]) =>
      (first: object | string, message = "") => {
        const told = typeof first === "string" ? first : message;
        lines.push({ level, message: told, fields: { ...own, ...(typeof first === "object" && first) } });
      };
    return {
      trace: write("trace"),
      debug: write("debug"),
      info: write("info"),
      warn: write("warn"),
      error: write("error"),
      fatal: write("fatal"),
      child: (fields) => make({ ...own, ...fields }),
    };
  };
  return { logger: make({}), lines };
}
