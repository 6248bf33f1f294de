import { readdirSync } from "node:fs";
import { getPriority, setPriority } from "node:os";

/** The end of the scale. */
const lowest = 19;

/** How far this process stands back by now, and can't come forward again. */
let given = 0;
export const givenWay = () => given;

/**
 * Lets other processes go first, by so much on the scale of `nice`. On Linux a priority is a thread's own and only threads to come inherit it, so that those which FFmpeg and Node have
 * already get it one by one.
 */
export function giveWay(niceness: number): void {
  if (niceness <= 0) return;
  given += niceness;
  for (const thread of threads()) {
    try {
      setPriority(thread, Math.min(lowest, getPriority(thread) + niceness));
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
