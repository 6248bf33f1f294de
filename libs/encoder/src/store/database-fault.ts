import { DomainError } from "@kinora/rpc";

const systemCodes = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "EPIPE",
  "ENOENT",
  "ETIMEDOUT",
  "EHOSTUNREACH",
  "ENOTFOUND",
]);
const messages =
  /^(Connection terminated|timeout exceeded when trying to connect|Query read timeout|Client has encountered a connection error)/;

/** An error of the database as callers should see it: `unavailable` while it can't be reached, starts or stops; others stay as they are. */
export function databaseFault(error: unknown): unknown {
  return isAway(error)
    ? new DomainError("unavailable", "The database can't be reached at this moment. Try again.", {
        cause: error,
        retryAfterSeconds: 1,
      })
    : error;
}

function isAway(error: unknown): boolean {
  if (!(error instanceof Error) || error instanceof DomainError) return false;
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  // Class 08: connection exceptions; 57P01 to 57P03: shutting down, crashed, starting up; 53300: too many connections.
  return systemCodes.has(code) || /^(08|57P0[123]|53300)/.test(code) || messages.test(error.message);
}
