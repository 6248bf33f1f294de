import { readFileSync, writeFileSync } from "node:fs";

const adjustment = "/proc/self/oom_score_adj";
/** On the kernel's scale, what a process counts for that has half of all memory. */
const more = 500;
const most = 1_000;

/**
 * Where a machine's memory runs out, Linux ends the process that it holds for the worst: this one, then, whose task is done again, and no database and no service. Nothing is done where there is no such
 * setting, or where it may not be changed.
 */
export function offerMemory(): void {
  try {
    const now = Number(readFileSync(adjustment, "utf8"));
    writeFileSync(adjustment, String(Math.min(most, now + more)));
  } catch {
    // Another system.
  }
}
