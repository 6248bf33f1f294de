import { isDatabaseAway } from "@kinora/database";
import { DomainError } from "@kinora/rpc";

/** Fields of node-postgres's errors. */
type Coded = { code?: unknown; constraint?: unknown };

/**
 * A lock that wasn't given, a deadlock, a serialisation failure: the same call may succeed when repeated. So may one whose row refers to another that was there when it was looked up
 * and has been deleted since.
 */
const conflicts = ["55P03", "40P01", "40001", "23503"];

/** A statement that took longer than it may. */
const outOfTime = "57014";

/** The domain error for a database fault that passes by itself; any other error comes back as it is. */
export function databaseFault(error: unknown): unknown {
  if (error instanceof DomainError || typeof error !== "object" || error === null) return error;
  const { code } = error as Coded;
  if (conflicts.some((conflict) => conflict === code)) {
    return new DomainError("aborted", "another call changed the same data at the same moment; try again", {
      cause: error,
    });
  }
  if (!isDatabaseAway(error) && code !== outOfTime) return error;
  return new DomainError("unavailable", "the user service's database doesn't answer; try again in a moment", {
    retryAfterSeconds: 1,
    cause: error,
  });
}

/** Whether the error says that a row broke the named constraint. */
export function breaks(error: unknown, constraint: string): boolean {
  return typeof error === "object" && error !== null && (error as Coded).constraint === constraint;
}
