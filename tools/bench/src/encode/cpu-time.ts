import { readFileSync } from "node:fs";

/** What something cost, in seconds. */
export type Cost = { wall: number; cpu: number };

/** Clock ticks a second, as Linux counts CPU time for user space on every machine that Node runs on. */
const ticksPerSecond = 100;

/** CPU seconds of all children of this process that have ended, and of theirs; NaN where there is no /proc. */
function childrenSeconds(): number {
  try {
    // The second field may hold spaces and brackets; after it, these are the 14th and 15th.
    const fields = readFileSync("/proc/self/stat", "utf8")
      .replace(/^.*\) /s, "")
      .split(" ");
    return (Number(fields[13]) + Number(fields[14])) / ticksPerSecond;
  } catch {
    return Number.NaN;
  }
}

/** Measures work that is done in children: all that it starts must have ended when it resolves. Our own part of the work counts as well. */
export async function costOf(work: () => Promise<unknown>): Promise<Cost> {
  const [before, own, start] = [childrenSeconds(), process.cpuUsage(), performance.now()];
  await work();
  const { user, system } = process.cpuUsage(own);
  return { wall: (performance.now() - start) / 1000, cpu: childrenSeconds() - before + (user + system) / 1e6 };
}
