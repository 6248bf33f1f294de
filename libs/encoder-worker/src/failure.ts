import { ConnectError } from "@connectrpc/connect";
import { TaskError } from "@kinora/media/task";
import { FailureKind } from "@kinora/proto-encoder";
import { PutError } from "./put-file.ts";
import { TaskStopped } from "./stop-reason.ts";

/** A failure in the contract's words. */
export type Failure = {
  kind: FailureKind;
  message: string;
  /** The task's program ended by a fault of its own. */
  crashed: boolean;
  outcome: "input fault" | "machine fault" | "returned";
};

/** Says who is at fault for an error of a task, and tells it in a sentence. */
export function describeFailure(error: unknown): Failure {
  if (error instanceof TaskStopped) {
    const message =
      error.reason === "displaced"
        ? "The worker's memory doesn't suffice for all its tasks."
        : "The worker shuts down.";
    return { kind: FailureKind.RETURNED, message, crashed: false, outcome: "returned" };
  }
  if (error instanceof TaskError && error.kind === "input") {
    return { kind: FailureKind.INPUT, message: sentence(error.message), crashed: false, outcome: "input fault" };
  }
  const crashed = error instanceof TaskError && error.kind === "crash";
  return { kind: FailureKind.MACHINE, message: sentence(machineFault(error)), crashed, outcome: "machine fault" };
}

function machineFault(error: unknown): string {
  if (isDiskFull(error)) {
    return "The encoding machine's disk is full: make room below KINORA_DATA/worker there.";
  }
  if (error instanceof PutError) {
    return error.status === 507
      ? "The encoder has no room left for the stream: make room where it keeps its objects."
      : `The encoder did not take a finished file. ${error.message}`;
  }
  if (error instanceof ConnectError) {
    return `The encoder refused a call of its worker: ${error.rawMessage}`;
  }
  return error instanceof Error ? error.message : String(error);
}

/** Whether an error, or what caused it, is a full disk (or a spent quota of it). The task's own process tells its errors in words alone. */
function isDiskFull(error: unknown): boolean {
  for (let at = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth++) {
    const { code = "" } = at as NodeJS.ErrnoException;
    if (/\b(ENOSPC|EDQUOT)\b|no space left on device/i.test(`${code} ${at.message}`)) return true;
  }
  return false;
}

/** A message as the contract takes it: 1 to 2000 characters, in one line. */
function sentence(message: string): string {
  const line = message.replaceAll(/\s+/g, " ").trim();
  return Array.from(line || "The task failed.")
    .slice(0, 2_000)
    .join("");
}
