/** Writes one log line: fields first, then a short message. */
export type LogMethod = {
  (fields: object, message?: string): void;
  (message: string): void;
};

/** What this code asks of a logger. A pino logger is one. */
export type Logger = {
  trace: LogMethod;
  debug: LogMethod;
  info: LogMethod;
  warn: LogMethod;
  error: LogMethod;
  fatal: LogMethod;
  /** A logger that adds the fields to every line. */
  child(fields: Record<string, unknown>): Logger;
};
