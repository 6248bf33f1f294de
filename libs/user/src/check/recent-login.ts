import { DomainError } from "@kinora/rpc";
import { enrolledFactors } from "../factor/second-factors.store.ts";
import { passedChecks } from "../session/session.store.ts";
import type { Sql } from "../store/store.ts";
import { isRecent } from "./assurance.ts";

/** Throws `failed_precondition` unless this session's holder has proved a short time ago, and completely, who they are (ASVS 7.5.1). */
export async function requireRecentLogin(
  sql: Sql,
  caller: { userId: string; sessionId?: string | undefined },
  now: Date,
): Promise<void> {
  const passed = caller.sessionId === undefined ? [] : await passedChecks(sql, caller.sessionId);
  if (isRecent(passed, await enrolledFactors(sql, caller.userId), now)) return;
  throw new DomainError("failed_precondition", "log in again first: this needs a login of the last ten minutes");
}
