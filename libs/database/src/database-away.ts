/** What Node says when there is no connection to speak over. */
const systemCodes = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "EPIPE",
  "ENOENT",
  "ETIMEDOUT",
  "EHOSTUNREACH",
  "ENOTFOUND",
  "EAI_AGAIN",
]);

/** Connection trouble, out of resources, shutting down or starting up, trouble of its machine (PostgreSQL manual, appendix A). */
const passing = /^(08|53|57P|58)/;

/** What node-postgres says, which has no codes of its own. */
const messages =
  /connection terminated|timeout exceeded when trying to connect|connection error|not queryable|client was closed|query read timeout|after calling end on the pool/i;

/** Whether an error of a statement says that the database can't be reached or used at this moment: the same statement may succeed once it can. */
export function isDatabaseAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = "code" in error ? error.code : undefined;
  if (typeof code === "string") {
    // First, since EPIPE has the form of an SQLSTATE.
    if (systemCodes.has(code)) return true;
    if (/^[0-9A-Z]{5}$/.test(code)) return passing.test(code);
  }
  return messages.test(error.message);
}
