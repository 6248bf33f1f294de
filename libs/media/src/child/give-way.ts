import { readdirSync } from "node:fs";
import { setPriority } from "node:os";

/**
 * Lets other processes go first, by so much on the scale of `nice` (0 to 19). On Linux a priority is a thread's own and only threads to come inherit it, so that those which FFmpeg and Node have
 * already get it one by one.
 */
export function giveWay(niceness: number): void {
  if (niceness <= 0) return;
  for (const thread of threads()) {
    try {
      setPriority(thread, niceness);
    } catch {
      // It has ended, or this system has no priorities.
    }
  }
}

function threads(): number[] {
  try {
    return readdirSync("/proc/self/task").map(Number);
  } catch {
    return [process.pid];
  }
}
