import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { childrenOf } from "./process-tree.ts";
import { type Contender, takeTurns } from "./turns.ts";

const { signal } = new AbortController();
const canHalt = existsSync("/proc/self/task");

/** A shell with a process of its own, both of which do nothing. */
async function startShell(): Promise<number> {
  const shell: ChildProcess = spawn("sh", ["-c", "sleep 60 & wait"], { detached: true, stdio: "ignore" });
  await once(shell, "spawn");
  const { pid = 0 } = shell;
  onTestFinished(() => {
    process.kill(-pid, "SIGKILL");
  });
  while (childrenOf(pid).length === 0) await sleep(5);
  return pid;
}

const isHalted = (pid: number) => /\) T/.test(readFileSync(`/proc/${pid}/stat`, "utf8"));

/** Works for so long by its clock. */
const idle = (pid: number, seconds: number): Contender<number> => ({
  processes: () => [pid],
  async work(clock) {
    while (clock() < seconds) await sleep(2);
    return clock();
  },
});

test.runIf(canHalt)(
  "while one works, the others are halted, with all that they started; clocks stand still as well",
  async () => {
    const pids = await Promise.all([startShell(), startShell(), startShell()]);
    const seen: boolean[][] = [];
    const watched = idle(pids[0] ?? 0, 0.4);
    const contenders = [
      {
        ...watched,
        async work(...args: Parameters<typeof watched.work>) {
          const watching = setInterval(
            () => seen.push(pids.map((pid) => [pid, ...childrenOf(pid)].every(isHalted))),
            3,
          );
          return watched.work(...args).finally(() => clearInterval(watching));
        },
      },
      ...pids.slice(1).map((pid) => idle(pid, 0.4)),
    ];
    const start = performance.now();
    const clocks = await takeTurns(contenders, { signal, turnMs: 40 });
    const elapsed = (performance.now() - start) / 1000;
    for (const clock of clocks) expect(clock).toBeGreaterThanOrEqual(0.4);
    expect(clocks.reduce((sum, clock) => sum + clock, 0)).toBeLessThanOrEqual(elapsed);
    // Those that had no turn yet aren't halted: they have nothing to do.
    const later = seen.slice(seen.findIndex((halted) => halted.filter(Boolean).length === 2));
    expect(later.length).toBeGreaterThan(10);
    // A signal takes a moment to arrive.
    const alone = later.filter((halted) => halted.filter(Boolean).length >= 2);
    expect(alone.length / later.length).toBeGreaterThan(0.8);
    expect(pids.some(isHalted)).toBe(false);
  },
);

test.runIf(canHalt)("one that fails ends it, and leaves nothing halted", async () => {
  const [well = 0, other = 0] = await Promise.all([startShell(), startShell()]);
  let told: AbortSignal | undefined;
  const patient: Contender<number> = {
    ...idle(well, 60),
    work: (_clock, signal) => {
      told = signal;
      return new Promise(() => {});
    },
  };
  const failing: Contender<number> = { ...idle(other, 0), work: () => Promise.reject(new Error("it broke")) };
  await expect(takeTurns([patient, failing], { signal, turnMs: 20 })).rejects.toThrow("it broke");
  expect(told?.aborted).toBe(true);
  expect([well, other].some(isHalted)).toBe(false);
});

test("in one turn each, where none can be halted", async () => {
  const order: string[] = [];
  const contender = (name: string): Contender<string> => ({
    processes: () => [],
    async work() {
      order.push(`${name} begins`);
      await sleep(5);
      order.push(`${name} ends`);
      return name;
    },
  });
  const turnMs = Number.POSITIVE_INFINITY;
  expect(await takeTurns([contender("a"), contender("b")], { signal, turnMs })).toEqual(["a", "b"]);
  expect(order).toEqual(["a begins", "a ends", "b begins", "b ends"]);
});
