import { readdirSync, readFileSync } from "node:fs";

/** The processes that a process started and that still run, by what Linux tells of its threads. Throws where there is no /proc, or no such process. */
export function childrenOf(pid: number | "self"): number[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((thread) => {
    try {
      return readFileSync(`/proc/${pid}/task/${thread}/children`, "utf8").split(" ").filter(Boolean).map(Number);
    } catch {
      return []; // that thread has ended meanwhile
    }
  });
}

/** Halts a process and all that it started, or lets them go on. A process is halted before its children are looked up, so that it starts none meanwhile. Those that are gone are left out. */
export function signalTree(pid: number, signal: "SIGSTOP" | "SIGCONT"): void {
  try {
    process.kill(pid, signal);
    for (const child of childrenOf(pid)) signalTree(child, signal);
  } catch {
    // It has ended meanwhile.
  }
}
