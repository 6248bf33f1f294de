import { readFileSync } from "node:fs";
import { childrenOf } from "../harness/process-tree.ts";

/** What something cost, in seconds. */
export type Cost = { wall: number; cpu: number };

/** Clock ticks a second, as Linux counts CPU time for user space on every machine that Node runs on. */
const ticksPerSecond = 100;

/** CPU seconds of all children of this process, those that have ended with all of theirs as well as those that wait for more to do; NaN where there is no /proc. */
function childrenSeconds(): number {
  try {
    // Of those that run only their own: another contender's children, which wait for a moment, may end meanwhile.
    const ticks = childrenOf("self").flatMap((pid) => ticksOf(pid).slice(0, 2));
    return sum([...ticksOf("self").slice(2), ...ticks]) / ticksPerSecond;
  } catch {
    return Number.NaN;
  }
}

/** Ticks of a process in user space and in the kernel, and those of its children that have ended. */
function ticksOf(pid: number | "self"): number[] {
  // The second field may hold spaces and brackets; after it, these are the 14th to the 17th of all.
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
    .replace(/^.*\) /s, "")
    .split(" ");
  return fields.slice(11, 15).map(Number);
}

const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);

/** Measures work that is done in children, and our own part of it. What it starts must have ended when it resolves, or have nothing left to do. */
export async function costOf(work: () => Promise<unknown>): Promise<Cost> {
  const [before, own, start] = [childrenSeconds(), process.cpuUsage(), performance.now()];
  await work();
  const { user, system } = process.cpuUsage(own);
  return { wall: (performance.now() - start) / 1000, cpu: childrenSeconds() - before + (user + system) / 1e6 };
}
