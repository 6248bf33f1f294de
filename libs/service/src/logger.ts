import { createRequire } from "node:module";
import { currentTrace, type Logger } from "@kinora/rpc";
import { type DestinationStream, type LoggerOptions as PinoOptions, pino } from "pino";
import { redact } from "./redact.ts";

/** Levels that a logger knows, from the most to the least. `silent` logs nothing. */
export const logLevels = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;

/** How to log. `level` is "info" if not given; `format` is "pretty" on a terminal and "json" elsewhere. */
export type LoggerOptions = { name: string; level?: string; format?: "pretty" | "json" };

/**
 * A pino logger on standard output (or `destination`): one JSON object a line, or lines for people. Lines that are written while a call is handled
 * carry its trace id. Credentials are redacted wherever they turn up.
 */
export function createLogger(options: LoggerOptions, destination?: DestinationStream): Logger {
  const format = options.format ?? (process.stdout.isTTY ? "pretty" : "json");
  const pinoOptions: PinoOptions = {
    level: options.level ?? "info",
    base: { name: options.name },
    timestamp: createTimestamp(),
    formatters: { level: (label) => ({ level: label }) },
    serializers: { err: (error: unknown) => loggedError(error) },
    mixin() {
      const trace = currentTrace();
      return trace === undefined ? {} : { trace: trace.traceId };
    },
    hooks: { streamWrite: redact },
  };
  // Written at once, so that the last words of a process are read.
  const output = destination ?? pino.destination({ dest: 1, sync: true });
  return pino(pinoOptions, format === "pretty" ? prettyStream(output) : output);
}

/** The time as pino wants it, made once a millisecond: a busy service writes many lines in one. */
function createTimestamp(): () => string {
  let last = 0;
  let text = "";
  return () => {
    const now = Date.now();
    if (now !== last) {
      last = now;
      text = `,"time":"${new Date(now).toISOString()}"`;
    }
    return text;
  };
}

function prettyStream(output: DestinationStream): DestinationStream {
  // Loaded only here: a service in production never needs it.
  const { prettyFactory, isColorSupported }: typeof import("pino-pretty") = createRequire(import.meta.url)(
    "pino-pretty",
  );
  const format = prettyFactory({
    translateTime: "HH:MM:ss",
    ignore: "name,trace,span,parent",
    messageFormat: "{name}: {msg}",
    singleLine: true,
    colorize: isColorSupported && process.stdout.isTTY,
  });
  return { write: (line) => output.write(format(line)) };
}

/** What a log says of an error: not all of its properties, which may be a library's whole inside (pg's errors hold their connection). */
function loggedError(error: unknown, depth = 0): unknown {
  if (!(error instanceof Error) || depth > 5) return error instanceof Error ? error.message : error;
  const { code } = error as { code?: unknown };
  return {
    type: error.name,
    message: error.message,
    ...(typeof code === "string" || typeof code === "number" ? { code } : {}),
    stack: error.stack,
    ...(error.cause === undefined ? {} : { cause: loggedError(error.cause, depth + 1) }),
  };
}
