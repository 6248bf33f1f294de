import { DomainError } from "@kinora/rpc";
import type { Context } from "../context.ts";
import { reportFailure } from "./fail-task.ts";
import type { Lease } from "./locked-task.ts";

/** Takes a result that isn't what was asked for as the machine's fault, and tells the worker. */
export async function refuseResult(context: Context, lease: Lease, fault: string, signal: AbortSignal): Promise<never> {
  const message = `The result isn't what was asked for: ${fault}`;
  await reportFailure(context, lease, { kind: "machine", message }, signal);
  throw new DomainError("failed_precondition", message);
}
