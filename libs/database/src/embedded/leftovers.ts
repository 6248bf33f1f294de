import { setTimeout as sleep } from "node:timers/promises";
import type { DatabaseLogger } from "../database.ts";
import { DatabaseError } from "../database-error.ts";
import { type ClusterProcess, clusterProcesses } from "./process-table.ts";

/**
 * Ends what is left of a cluster whose Kinora is gone (only the holder of the folder's lock may call this): first in the
 * orderly way, then at once, then by force. Postgres recovers from its log after any of them.
 */
export async function stopLeftovers(clusterName: string, logger: DatabaseLogger, signal?: AbortSignal): Promise<void> {
  let left = await clusterProcesses(clusterName, signal);
  if (left.length === 0) return;
  logger.info({ processes: left.map(({ pid }) => pid) }, "stopping the Postgres that a former run left behind");
  for (const step of steps) {
    for (const { pid, postmaster } of left) send(pid, postmaster ? step.postmaster : step.other);
    const deadline = performance.now() + step.patienceMs;
    do {
      await sleep(20, undefined, { signal });
      left = await clusterProcesses(clusterName, signal);
    } while (left.length > 0 && performance.now() < deadline);
    if (left.length === 0) return;
  }
  throw new DatabaseError(
    `A Postgres of a former run (${describe(left)}) can't be stopped. End it as the user it belongs to and start again.`,
  );
}

// https://www.postgresql.org/docs/18/server-shutdown.html; backends end with their postmaster.
const steps: { postmaster: NodeJS.Signals; other: NodeJS.Signals | undefined; patienceMs: number }[] = [
  { postmaster: "SIGINT", other: undefined, patienceMs: 4_000 },
  { postmaster: "SIGQUIT", other: "SIGQUIT", patienceMs: 2_000 },
  { postmaster: "SIGKILL", other: "SIGKILL", patienceMs: 2_000 },
];

function send(pid: number, signal: NodeJS.Signals | undefined): void {
  try {
    if (signal) process.kill(pid, signal);
  } catch {
    // Gone, or not ours to end: then it is still in the table at the last step.
  }
}

function describe(processes: ClusterProcess[]): string {
  const pids = processes.map(({ pid }) => pid).join(", ");
  return processes.length === 1 ? `process ${pids}` : `processes ${pids}`;
}
