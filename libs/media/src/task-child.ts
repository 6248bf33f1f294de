import type { ChildProcess } from "node:child_process";
import { awaitChild, begin, dismissChildren, keepChild, keepSpare, soonFree, takeChild } from "./child-pool.ts";
import { TaskError } from "./task-error.ts";
import type { ChildMessage, ParentMessage } from "./task-messages.ts";
import type { MediaResult, MediaTask, TaskOptions } from "./task-options.ts";

type Options = TaskOptions & { task: MediaTask };

/** Time between asking the child to end and ending it. */
const graceMs = 1000;

/** A child that has more than this part of its memory's limit in use begins no other task: that one may need all of it. */
const mostKept = 0.25;

/** Signals by which a program ends that has gone wrong by itself. SIGKILL is somebody else's (when memory is short, the kernel's), and SIGILL tells of a processor that the program wasn't built for. */
const crashes = new Set<NodeJS.Signals>(["SIGSEGV", "SIGBUS", "SIGABRT", "SIGFPE", "SIGTRAP"]);

/** Has a child do the task, watches its limits, and settles when the child has ended or waits for the next task of its video. */
export async function runChild(options: Options): Promise<MediaResult> {
  if (options.video !== undefined) await awaitChild(options.video, options.niceness ?? 0);
  if (options.signal.aborted) throw cancelled();
  return new Promise((resolve, reject) => {
    const { task, video, outputLimitBytes, threads, niceness = 0 } = options;
    const memoryLimit = options.memoryLimitBytes ?? Number.POSITIVE_INFINITY;
    const taken = takeChild(video, niceness);
    // Or further, by itself: the result will say so.
    taken.niceness = niceness;
    const over = video === undefined ? () => {} : begin(video);
    const { process: child, output } = taken;
    let free = () => {};
    let result: MediaResult | undefined;
    let fault: TaskError | undefined;
    /** The child is gone, or may be doing another task. */
    let isOver = false;
    let waitingFor = 0;
    let movedAt = performance.now();
    /** The child's time on a processor, in seconds: all of it, and up to when something last moved. */
    let busy = 0;
    let busyBefore = 0;
    let memoryBytes = 0;

    const moved = () => {
      movedAt = performance.now();
      busyBefore = busy;
    };
    const send = (message: ParentMessage) => {
      if (!isOver && child.connected) child.send(message, () => {});
    };
    /** The first reason counts; what follows from it is noise. */
    const end = (reason: TaskError) => {
      if (fault || isOver) return;
      fault = reason;
      stop(child);
    };
    const onAbort = () => {
      end(cancelled());
      if (video !== undefined) dismissChildren(video);
    };
    options.signal.addEventListener("abort", onAbort, { once: true });
    const deadline = setTimeout(() => {
      end(new TaskError("machine", `The work took longer than ${seconds(options.timeLimitMs)} and was stopped.`));
    }, options.timeLimitMs);
    const judge = () => {
      const stoodMs = performance.now() - movedAt;
      const workedMs = (busy - busyBefore) * 1000;
      if (waitingFor > 0 || Math.max(stoodMs, workedMs) < options.noProgressMs) return;
      if (!isReading(options.task) || workedMs < stoodMs / 10) {
        end(new TaskError("machine", `The work stood still for ${seconds(options.noProgressMs)} and was stopped.`));
      } else if (workedMs >= options.noProgressMs) end(endless(`for ${seconds(options.noProgressMs)} and to no end`));
    };
    // What the child has said meanwhile is heard first, where this process itself was held up.
    const watch = setInterval(() => setImmediate(judge), Math.min(1000, Math.max(10, options.noProgressMs / 4)));

    const handOver = async (path: string, bytes: number) => {
      waitingFor++;
      try {
        await options.onFile?.(path, bytes);
        send({ type: "taken", path });
      } catch (error) {
        end(new TaskError("machine", `The file ${path} could not be stored: ${messageOf(error)}`, { cause: error }));
      } finally {
        waitingFor--;
        moved();
      }
    };
    const onMessage = (message: ChildMessage) => {
      if (fault || result) return;
      switch (message.type) {
        case "alive":
          busy = message.cpuSeconds;
          memoryBytes = message.memoryBytes;
          options.onMemory?.(memoryBytes);
          if (memoryBytes > memoryLimit) {
            const memory = `more than ${mebibytes(options.memoryLimitBytes)} of memory`;
            end(
              isReading(options.task)
                ? endless(`with ${memory}`)
                : new TaskError("machine", `The work needed ${memory} and was stopped.`),
            );
          }
          return;
        case "progress":
          moved();
          // The next child loads while this one is busy.
          keepSpare();
          options.onProgress?.({ frames: message.frames, fraction: message.fraction, speed: message.speed });
          return;
        case "file":
          moved();
          void handOver(message.path, message.bytes);
          return;
        case "draining":
          // A thread alone says so when its encoders are empty. Of several, the first ones rest already.
          if (video !== undefined && threads === 1) free = soonFree(taken, video);
          options.onDraining?.();
          return;
        case "track":
          options.onTrack?.(message.track);
          return;
        case "result":
          result = message.result;
          taken.niceness = message.niceness;
          if (video !== undefined && memoryBytes <= mostKept * memoryLimit && keepChild(taken, video)) {
            letGo();
            resolve(result);
          } else stop(child, "SIGKILL");
          return;
        case "fault":
          fault = new TaskError(message.kind, message.message, { cause: new Error(message.detail) });
          stop(child, "SIGKILL");
      }
    };
    const onError = (error: Error) =>
      end(new TaskError("machine", `The work could not be started: ${error.message}.`, { cause: error }));
    const onClose = (code: number | null, signal: NodeJS.Signals | null) => {
      letGo();
      if (fault) reject(fault);
      else if (result) resolve(result);
      else {
        const how = signal ? `was ended by ${signal}` : `ended with exit code ${code}`;
        const kind = signal !== null && crashes.has(signal) ? "crash" : "machine";
        reject(new TaskError(kind, `The process that handles the video ${how}.`, { cause: new Error(output()) }));
      }
    };
    const letGo = () => {
      isOver = true;
      over();
      free();
      clearTimeout(deadline);
      clearInterval(watch);
      options.signal.removeEventListener("abort", onAbort);
      child.off("message", onMessage).off("error", onError).off("close", onClose);
      keepSpare();
    };
    child.on("message", onMessage).on("error", onError).on("close", onClose);
    send({ type: "start", task, outputLimitBytes, threads, niceness });
    // A probe is over before it tells of any progress, and what follows it is what people wait for.
    if (task.kind === "probe") keepSpare();
    options.onSource?.((url) => send({ type: "source", url }));
  });
}

function stop(child: ChildProcess, signal: NodeJS.Signals = "SIGTERM"): void {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill(signal);
  const killer = setTimeout(() => child.kill("SIGKILL"), graceMs);
  child.once("close", () => clearTimeout(killer));
}

/** Whether a task only reads. What it takes of a machine is then up to the file alone: no sound one comes near the limits, however long it is, and another machine would do no better. */
const isReading = ({ kind }: MediaTask) => kind === "probe" || kind === "analyse";

function endless(how: string): TaskError {
  return new TaskError(
    "input",
    `This file can't be read: it keeps a computer busy ${how}. It is damaged, or made to do harm. Send the video saved anew by another program.`,
  );
}

function cancelled(): TaskError {
  return new TaskError("cancelled", "The work was cancelled.");
}

const seconds = (ms: number) => `${Math.round(ms / 100) / 10} s`;
const mebibytes = (bytes = 0) => `${Math.round(bytes / 2 ** 20)} MiB`;

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
