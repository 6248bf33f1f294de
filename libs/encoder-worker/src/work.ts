import { rm } from "node:fs/promises";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { type Duration, durationMs } from "@bufbuild/protobuf/wkt";
import type { Client } from "@connectrpc/connect";
import { runTask, type TaskOptions } from "@kinora/media/task";
import type { CompleteTaskRequestSchema, EncodePlan, Lease, Task, WorkerService } from "@kinora/proto-encoder";
import type { Logger } from "@kinora/rpc";
import { describeFailure } from "./failure.ts";
import { callUnderLease, keepLease, type LeaseProgress } from "./lease.ts";
import { outputLimitBytes } from "./limits.ts";
import type { Spool } from "./spool.ts";
import { TaskStopped } from "./stop-reason.ts";
import { createUploader } from "./uploader.ts";

/** How the work on a task ended. */
export type Outcome = "completed" | "input fault" | "machine fault" | "cancelled" | "lost" | "unreachable" | "returned";

/** What the work on a task needs. */
export type WorkDeps = {
  client: Client<typeof WorkerService>;
  spool: Spool;
  logger: Logger;
  /** How long to go on without an answer of the encoder, in milliseconds. */
  giveUpMs: number;
  /** What one task's process may use of the machine's memory. */
  memoryLimitBytes: number;
  /** Aborted when tasks must be handed back. */
  handBack: AbortSignal;
};

type Result = NonNullable<MessageInitShape<typeof CompleteTaskRequestSchema>["result"]>;

/** Longest time between two heartbeats, in milliseconds: a cancelled task must free the machine within 2 s. */
const maxHeartbeatMs = 1_000;
/** A child that shows no progress for this long is killed. */
const noProgressMs = 60_000;
/** A task without a limit of its own is ended after this time. */
const defaultTimeLimitMs = 24 * 3_600_000;
/** A shutdown waits this long for the encoder to take a task back. */
const handBackMs = 1_000;

/** Does one leased task from beginning to end, and reports how it ended. Never throws. */
export async function workOnTask(deps: WorkDeps, lease: Lease, task: Task): Promise<Outcome> {
  const { client, handBack, giveUpMs } = deps;
  const logger = deps.logger.child({ encodeId: task.encodeId, taskId: lease.taskId, attempt: lease.attempt });
  const started = performance.now();
  let progress: LeaseProgress = { frames: 0, fraction: 0, speed: 0 };

  const stop = new AbortController();
  const onHandBack = () => stop.abort(new TaskStopped("returned"));
  handBack.addEventListener("abort", onHandBack, { once: true });
  if (handBack.aborted) onHandBack();

  const heartbeats = new AbortController();
  let reporting = false; // from then on the encoder's answer to the report says whether the lease holds
  const kept = keepLease({
    client,
    lease,
    giveUpMs,
    logger,
    intervalMs: Math.min(maxHeartbeatMs, millisecondsOf(task.heartbeatInterval) ?? maxHeartbeatMs),
    progress: () => progress,
    signal: heartbeats.signal,
  }).catch((error: unknown) => {
    if (!reporting) stop.abort(error);
  });

  logger.info({ work: task.work.case }, "task started");
  const report = { client, lease, giveUpMs, logger };
  let outcome: Outcome;
  try {
    const result = await perform(deps, lease, task, logger, stop.signal, (next) => {
      progress = next;
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
    if (error instanceof TaskStopped && error.reason !== "returned") {
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
        to.failTask({ lease, kind: failure.kind, message: failure.message }, options),
      );
      return failure.outcome;
    } catch (reportError) {
      if (reportError instanceof TaskStopped) return reportError.reason;
      logger.warn({ err: reportError }, "could not report how the task ended; its lease will expire");
      return failure.outcome === "returned" ? "returned" : "unreachable";
    }
  }
}

async function perform(
  deps: WorkDeps,
  lease: Lease,
  task: Task,
  logger: Logger,
  signal: AbortSignal,
  onProgress: (progress: LeaseProgress) => void,
): Promise<Result> {
  const options: TaskOptions = {
    signal,
    timeLimitMs: millisecondsOf(task.timeLimit) ?? defaultTimeLimitMs,
    noProgressMs,
    memoryLimitBytes: deps.memoryLimitBytes,
    onProgress,
  };
  const { work, sourceUrl } = task;
  switch (work.case) {
    case "probe":
      return { case: "probe", value: await runTask({ ...options, task: { kind: "probe", sourceUrl } }) };
    case "encode":
      return { case: "encode", value: await encode(deps, lease, sourceUrl, work.value.plan, options, logger) };
    default:
      throw new Error("This worker doesn't know this kind of task: it is older than the encoder. Update it.");
  }
}

/** Encodes into the spool folder and brings every file away as soon as it is finished. */
async function encode(
  { client, spool, giveUpMs }: WorkDeps,
  lease: Lease,
  sourceUrl: string,
  plan: EncodePlan | undefined,
  options: TaskOptions,
  logger: Logger,
) {
  if (plan === undefined) {
    throw new Error("The encode task came without a plan.");
  }
  const { signal } = options;
  const folder = await spool.taskFolder();
  const uploads = new Set<Promise<void>>();
  const failed = new AbortController();
  const uploader = createUploader({
    folder,
    giveUpMs,
    signal: AbortSignal.any([signal, failed.signal]),
    addresses: (paths) =>
      callUnderLease({ client, lease, giveUpMs, logger, signal }, (to, call) =>
        to.createUploads({ lease, paths }, call),
      ).then((answer) => answer.urls),
  });
  try {
    const result = await runTask({
      ...options,
      signal: AbortSignal.any([signal, failed.signal]),
      outputLimitBytes: outputLimitBytes(plan),
      task: { kind: "encode", sourceUrl, plan, outDir: folder },
      onFile(path) {
        const upload = uploader.add(path);
        uploads.add(upload);
        upload.then(
          () => uploads.delete(upload),
          (error) => failed.abort(error),
        );
        return upload;
      },
    });
    await Promise.all(uploads);
    return result;
  } catch (error) {
    throw failed.signal.aborted ? failed.signal.reason : error; // why the upload failed says more than that the encode stopped
  } finally {
    failed.abort();
    await Promise.allSettled(uploads);
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

function millisecondsOf(duration: Duration | undefined): number | undefined {
  const ms = duration === undefined ? 0 : durationMs(duration);
  return ms > 0 ? ms : undefined;
}
