import { type Duration, durationMs } from "@bufbuild/protobuf/wkt";
import type { Lease, Task } from "@kinora/proto-encoder";
import { describeFailure } from "./failure.ts";
import { callUnderLease, keepLease, type LeaseProgress } from "./lease.ts";
import type { MemoryPlace } from "./memory-budget.ts";
import { type PerformDeps, performTask } from "./perform.ts";
import { TaskStopped } from "./stop-reason.ts";

/** How the work on a task ended. */
export type Outcome = "completed" | "input fault" | "machine fault" | "cancelled" | "lost" | "unreachable" | "returned";

/** What the work on a task needs. */
export type WorkDeps = PerformDeps & {
  /** Aborted when tasks must be handed back. */
  handBack: AbortSignal;
};

/** Longest time between two heartbeats, in milliseconds: a cancelled task must free the machine within 2 s. */
const maxHeartbeatMs = 1_000;
/** A task without a limit of its own is ended after this time. */
const defaultTimeLimitMs = 24 * 3_600_000;
/** A shutdown waits this long for the encoder to take a task back. */
const handBackMs = 1_000;

/** Does one leased task from beginning to end, and reports how it ended. `onDraining` hears when it needs less and less of the machine; `place` is its part of the memory. Never throws. */
export async function workOnTask(
  deps: WorkDeps,
  lease: Lease,
  task: Task,
  { onDraining = () => {}, place }: { onDraining?: () => void; place?: MemoryPlace } = {},
): Promise<Outcome> {
  const { client, handBack, giveUpMs } = deps;
  const logger = deps.logger.child({ encodeId: task.encodeId, taskId: lease.taskId, attempt: lease.attempt });
  const started = performance.now();
  let progress: LeaseProgress = { frames: 0, fraction: 0, speed: 0 };

  const stop = new AbortController();
  const onHandBack = () => stop.abort(new TaskStopped("returned"));
  handBack.addEventListener("abort", onHandBack, { once: true });
  if (handBack.aborted) onHandBack();
  place?.begin(() => {
    logger.warn({}, "memory is short: a task is handed back, and fewer are done at a time");
    stop.abort(new TaskStopped("displaced"));
  });

  let tellSource = (_url: string) => {};
  const heartbeats = new AbortController();
  let reporting = false; // from then on the encoder's answer to the report says whether the lease holds
  const kept = keepLease({
    client,
    lease,
    giveUpMs,
    logger,
    intervalMs: Math.min(maxHeartbeatMs, millisecondsOf(task.heartbeatInterval) ?? maxHeartbeatMs),
    progress: () => progress,
    onSource: (url) => tellSource(url),
    signal: heartbeats.signal,
  }).catch((error: unknown) => {
    if (!reporting) stop.abort(error);
  });

  logger.info({ work: task.work.case }, "task started");
  const report = { client, lease, giveUpMs, logger };
  let outcome: Outcome;
  try {
    const result = await performTask({ ...deps, logger }, task, {
      lease,
      signal: stop.signal,
      timeLimitMs: millisecondsOf(task.timeLimit) ?? defaultTimeLimitMs,
      onProgress(next) {
        progress = next;
      },
      onSource(listener) {
        tellSource = listener;
      },
      onDraining,
      onMemory: (bytes) => place?.uses(bytes),
    });
    reporting = true;
    await callUnderLease({ ...report, signal: stop.signal }, (to, options) =>
      to.completeTask({ lease, result }, options),
    );
    outcome = "completed";
  } catch (error) {
    reporting = true;
    outcome = await reportFailure(stop.signal.aborted ? stop.signal.reason : error);
  } finally {
    handBack.removeEventListener("abort", onHandBack);
    heartbeats.abort();
    await kept;
  }
  logger.info({ outcome, ms: Math.round(performance.now() - started) }, "task ended");
  return outcome;

  async function reportFailure(error: unknown): Promise<Outcome> {
    if (error instanceof TaskStopped && error.reason !== "returned" && error.reason !== "displaced") {
      return error.reason; // nobody waits for a report
    }
    const failure = describeFailure(error);
    if (failure.outcome === "machine fault") {
      logger.error({ err: error }, "the task failed through this machine's fault");
    }
    const patience = failure.outcome === "returned" ? handBackMs : giveUpMs;
    // A shutdown in the middle of a report cuts it short: the lease then simply expires.
    const signal = failure.outcome === "returned" ? AbortSignal.timeout(handBackMs) : handBack;
    try {
      await callUnderLease({ ...report, giveUpMs: patience, signal }, (to, options) =>
        to.failTask({ lease, kind: failure.kind, message: failure.message, crashed: failure.crashed }, options),
      );
      return failure.outcome;
    } catch (reportError) {
      if (reportError instanceof TaskStopped && reportError.reason !== "displaced") return reportError.reason;
      logger.warn({ err: reportError }, "could not report how the task ended; its lease will expire");
      return failure.outcome === "returned" ? "returned" : "unreachable";
    }
  }
}

function millisecondsOf(duration: Duration | undefined): number | undefined {
  const ms = duration === undefined ? 0 : durationMs(duration);
  return ms > 0 ? ms : undefined;
}
