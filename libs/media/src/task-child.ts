import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { TaskError } from "./task-error.ts";
import type { ChildMessage, ParentMessage } from "./task-messages.ts";
import type { MediaResult, MediaTask, TaskOptions } from "./task-options.ts";

type Options = TaskOptions & { task: MediaTask };

const childFile = fileURLToPath(new URL("./child/main.ts", import.meta.url));

/** Time between asking the child to end and ending it. */
const graceMs = 1000;

/** What FFmpeg last said is kept for the operator, this much of it. */
const keptOutput = 4000;

/** Signals by which a program ends that has gone wrong by itself. SIGKILL is somebody else's (when memory is short, the kernel's), and SIGILL tells of a processor that the program wasn't built for. */
const crashes = new Set<NodeJS.Signals>(["SIGSEGV", "SIGBUS", "SIGABRT", "SIGFPE", "SIGTRAP"]);

/** Starts the child, watches its limits and settles when it has ended. */
export function runChild(options: Options): Promise<MediaResult> {
  if (options.signal.aborted) return Promise.reject(cancelled());
  return new Promise((resolve, reject) => {
    const { child, output } = takeChild();
    let result: MediaResult | undefined;
    let fault: TaskError | undefined;
    let waitingFor = 0;
    let movedAt = performance.now();
    /** The child's time on a processor, in seconds: all of it, and up to when something last moved. */
    let busy = 0;
    let busyBefore = 0;

    const moved = () => {
      movedAt = performance.now();
      busyBefore = busy;
    };
    const send = (message: ParentMessage) => {
      if (child.connected) child.send(message, () => {});
    };
    /** The first reason counts; what follows from it is noise. */
    const end = (reason: TaskError) => {
      if (fault) return;
      fault = reason;
      stop(child);
    };
    const onAbort = () => end(cancelled());
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
    child.on("message", (message: ChildMessage) => {
      if (fault || result) return;
      switch (message.type) {
        case "alive":
          busy = message.cpuSeconds;
          if (message.memoryBytes > (options.memoryLimitBytes ?? Number.POSITIVE_INFINITY)) {
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
          options.onDraining?.();
          return;
        case "track":
          options.onTrack?.(message.track);
          return;
        case "result":
          result = message.result;
          stop(child, "SIGKILL");
          return;
        case "fault":
          fault = new TaskError(message.kind, message.message, { cause: new Error(message.detail) });
          stop(child, "SIGKILL");
      }
    });
    child.on("error", (error) =>
      end(new TaskError("machine", `The work could not be started: ${error.message}.`, { cause: error })),
    );
    child.on("close", (code, signal) => {
      clearTimeout(deadline);
      clearInterval(watch);
      options.signal.removeEventListener("abort", onAbort);
      if (fault) reject(fault);
      else if (result) resolve(result);
      else {
        const how = signal ? `was ended by ${signal}` : `ended with exit code ${code}`;
        const kind = signal !== null && crashes.has(signal) ? "crash" : "machine";
        reject(new TaskError(kind, `The process that handles the video ${how}.`, { cause: new Error(output()) }));
      }
    });
    const { task, outputLimitBytes, threads, niceness } = options;
    send({ type: "start", task, outputLimitBytes, threads, niceness });
    // A probe is over before it tells of any progress, and what follows it is what people wait for.
    if (task.kind === "probe") keepSpare();
    options.onSource?.((url) => send({ type: "source", url }));
  });
}

/** A child, and what FFmpeg last said in it. */
type Started = { child: ChildProcess; output(): string };

/** Children that wait for their task, so that a short task doesn't wait for Node and FFmpeg to load. */
let spare: Started | undefined;
let keepers = 0;

/**
 * Keeps one child ready for the next task until it is disposed of, which resolves when the waiting child is gone: loading takes about as long as encoding a few frames.
 * The child does one task like any other; while it waits it uses no CPU.
 */
export function prepareChildren(): AsyncDisposable {
  keepers++;
  keepSpare();
  return {
    async [Symbol.asyncDispose]() {
      if (--keepers > 0 || !spare) return;
      const { child } = spare;
      spare = undefined;
      const closed = once(child, "close");
      child.kill("SIGKILL");
      await closed;
    },
  };
}

function keepSpare(): void {
  if (keepers === 0 || spare) return;
  const started = start();
  spare = started;
  const forget = () => {
    if (spare === started) spare = undefined;
  };
  started.child.once("error", forget);
  started.child.once("close", forget);
}

function takeChild(): Started {
  const taken = spare?.child.connected ? spare : start();
  spare = undefined;
  taken.child.once("close", keepSpare);
  return taken;
}

let compileCacheDir: string | undefined;

/**
 * Lets children keep their compiled code in a folder that nobody else can write to, for those that come after: loading then takes a quarter of the time. The folder may go away at any
 * time, but children make it anew; undefined ends that.
 */
export function keepCompiledCode(folder: string | undefined): void {
  compileCacheDir = folder;
}

function start(): Started {
  const child = fork(childFile, [], {
    execPath: process.execPath,
    // Neither the parent's flags nor its secrets.
    execArgv: [],
    env: {
      UV_THREADPOOL_SIZE: "16",
      NODE_NO_WARNINGS: "1",
      ...(compileCacheDir === undefined ? {} : { NODE_COMPILE_CACHE: compileCacheDir }),
    },
    stdio: ["ignore", "ignore", "pipe", "ipc"],
    // Times are bigints, hashes are bytes.
    serialization: "advanced",
  });
  let output = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    output = (output + text).slice(-keptOutput);
  });
  return { child, output: () => output };
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
