import { DomainError } from "@kinora/rpc";

/** Fields of node-postgres's and Node's own errors. */
type Coded = { code?: unknown; message?: unknown; constraint?: unknown };

/** SQLSTATE classes that pass: connection trouble, too many connections, the server ends or cancels (PostgreSQL manual, appendix A). */
const passingClasses = ["08", "53", "57", "58"];

/** A lock that wasn't given, a deadlock, a serialisation failure: the same call may succeed when repeated. */
const conflicts = ["55P03", "40P01", "40001"];

/** What Node and node-postgres say when there is no connection to speak over. */
const systemCodes = [
  "ECONNREFUSED",
  "ECONNRESET",
  "EPIPE",
  "ENOENT",
  "ETIMEDOUT",
  "EHOSTUNREACH",
  "ENOTFOUND",
  "EAI_AGAIN",
];
const connectionMessages =
  /connection terminated|timeout exceeded when trying to connect|connection error|not queryable|client was closed|query read timeout|after calling end on the pool/i;

/** The domain error for a database fault that passes by itself; any other error comes back as it is. */
export function databaseFault(error: unknown): unknown {
  if (error instanceof DomainError || typeof error !== "object" || error === null) return error;
  const { code, message } = error as Coded;
  const sqlState = typeof code === "string" && /^[0-9A-Z]{5}$/.test(code) ? code : undefined;
  if (sqlState !== undefined && conflicts.includes(sqlState)) {
    return new DomainError("aborted", "another call changed the same data at the same moment; try again", {
      cause: error,
    });
  }
  const away =
    sqlState !== undefined
      ? passingClasses.includes(sqlState.slice(0, 2))
      : systemCodes.includes(String(code)) || connectionMessages.test(String(message));
  if (!away) return error;
  return new DomainError("unavailable", "the user service's database doesn't answer; try again in a moment", {
    retryAfterSeconds: 1,
    cause: error,
  });
}

/** Whether the error says that a row broke the named constraint. */
export function breaks(error: unknown, constraint: string): boolean {
  return typeof error === "object" && error !== null && (error as Coded).constraint === constraint;
}
