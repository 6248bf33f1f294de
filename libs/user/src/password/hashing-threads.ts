import { readdirSync, readFileSync } from "node:fs";
import { getPriority, setPriority } from "node:os";

/** How far behind the event loop, in steps of `nice`: a thread that has a third of its weight where both want the same core. */
const steps = 5;

/**
 * Lets the event loop go before the threads of Node's pool: a hash is 50 ms of nothing else, and everybody's calls would wait for its turn to end. Only on Linux, where a
 * priority is a thread's own; elsewhere nothing changes. The pool's threads have to be there, which they are once it was given work.
 */
export function letEventLoopGoFirst(): void {
  for (const thread of poolThreads()) {
    try {
      setPriority(thread, Math.min(19, getPriority(process.pid) + steps));
    } catch {
      // It isn't ours to change here: the threads share the core as they did.
    }
  }
}

/** The identifiers of the threads of Node's pool, which libuv names. */
function poolThreads(): number[] {
  try {
    return readdirSync("/proc/self/task")
      .map(Number)
      .filter((thread) => readFileSync(`/proc/self/task/${thread}/comm`, "utf8").startsWith("libuv-worker"));
  } catch {
    return [];
  }
}
