import { isDatabaseAway } from "@kinora/database";
import { DomainError } from "@kinora/rpc";

/** An error of the database as callers should see it: `unavailable` while it can't be reached, starts or stops; others stay as they are. */
export function databaseFault(error: unknown): unknown {
  return !(error instanceof DomainError) && isDatabaseAway(error)
    ? new DomainError("unavailable", "The database can't be reached at this moment. Try again.", {
        cause: error,
        retryAfterSeconds: 1,
      })
    : error;
}
