import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

/** A process for tasks, and what FFmpeg last said in it. */
export type Child = {
  process: ChildProcess;
  output(): string;
  /** How far it stands back (`nice`) when it waits: that can't be taken back. */
  niceness: number;
};

const childFile = fileURLToPath(new URL("./child/main.ts", import.meta.url));

/** What FFmpeg last said is kept for the operator, this much of it. */
const keptOutput = 4000;

/** A child waits for another task of its video while any is under way, and then this long, twice at most: a worker asks for it at once, and a cancelled video is to leave a machine within 2 s. */
const restMs = 900;

/** A task waits this long for a child of its video that will be free in a moment: about as long as another one takes to start and to fill its memory. */
const mostWaitMs = 300;

/** As many wait at most: where a slot has several cores two take turns, since one drains while the next chunk begins, and sound has one of its own. */
const mostResting = 2;

/** What waits without a task. Children of no video are new. */
type Waiting = { child: Child; video?: string; leave: () => void };

let waiting: Waiting[] = [];
/** Tasks under way, by video. */
const underWay = new Map<string, number>();
/** Children that will be free in a moment; the promise resolves when one is, or is gone. */
const finishing = new Set<{ child: Child; video: string; free: Promise<void> }>();
let keepers = 0;

/**
 * Keeps one child ready for the next task, so that a short task doesn't wait for Node and FFmpeg to load, which takes about as long as encoding a few frames; and keeps those that have done a task for a moment, for
 * other tasks of the same video. Until it is disposed of, which resolves when the waiting children are gone. While they wait they use no CPU.
 */
export function prepareChildren(): AsyncDisposable {
  keepers++;
  keepSpare();
  return {
    async [Symbol.asyncDispose]() {
      if (--keepers > 0) return;
      await Promise.all(waiting.map(dismiss));
    },
  };
}

/** Has a new child load, if there is none. */
export function keepSpare(): void {
  if (keepers === 0 || waiting.some(({ video }) => video === undefined)) return;
  wait({ child: startChild() });
}

/** Counts a task of a video as under way; the function that it returns ends that. */
export function begin(video: string): () => void {
  const count = (change: number) => {
    const tasks = (underWay.get(video) ?? 0) + change;
    if (tasks > 0) underWay.set(video, tasks);
    else underWay.delete(video);
  };
  count(1);
  return () => count(-1);
}

/** Tells children that have done a task of a video and don't stand back too far for another one. */
const ownOf = (video: string, niceness: number) => (one: { child: Child; video?: string }) =>
  one.video === video && one.child.niceness <= niceness;

/** Says that a child needs no processor any more for its task of a video, and will be free when its files are taken; the function that it returns says that it is, or is gone. */
export function soonFree(child: Child, video: string): () => void {
  const { promise, resolve } = Promise.withResolvers<void>();
  const entry = { child, video, free: promise };
  finishing.add(entry);
  return () => {
    finishing.delete(entry);
    resolve();
  };
}

/** Waits while there is no child that may do a task of a video (`takeChild`), but will be one in a moment: it has compiled code and memory already. */
export async function awaitChild(video: string, niceness: number): Promise<void> {
  const isOwn = ownOf(video, niceness);
  const soon = [...finishing].filter(isOwn);
  if (keepers === 0 || soon.length === 0 || waiting.some(isOwn)) return;
  const over = new AbortController();
  const late = sleep(mostWaitMs, undefined, { signal: over.signal }).catch(() => {});
  await Promise.race([...soon.map(({ free }) => free), late]).finally(() => over.abort());
}

/** A child for a task: one that has done another of the same video and doesn't stand back further than this one may, or else a new one. */
export function takeChild(video: string | undefined, niceness: number): Child {
  const own = video === undefined ? undefined : waiting.find(ownOf(video, niceness));
  const taken = own ?? waiting.find((one) => one.video === undefined);
  if (!taken?.child.process.connected) return startChild();
  taken.leave();
  return taken.child;
}

/** Keeps a child that has done a task well for the next one of the same video; false if nobody wants that. */
export function keepChild(child: Child, video: string): boolean {
  if (keepers === 0 || !child.process.connected) return false;
  const resting = waiting.filter((one) => one.video !== undefined);
  // Another video's turn is over.
  const [oldest] = resting.length < mostResting ? [] : resting;
  if (oldest) void dismiss(oldest);
  wait({ child, video });
  return true;
}

/** Ends the children that wait for another task of a video, when there will be none. */
export function dismissChildren(video: string): void {
  for (const one of waiting) if (one.video === video) void dismiss(one);
}

function wait({ child, video }: { child: Child; video?: string }): void {
  const leave = () => {
    clearInterval(rest);
    child.process.off("error", leave).off("close", leave);
    waiting = waiting.filter((one) => one !== entry);
  };
  const entry: Waiting = { child, ...(video !== undefined && { video }), leave };
  const rest =
    video === undefined
      ? undefined
      : setInterval(() => {
          if (!underWay.has(video)) void dismiss(entry);
        }, restMs);
  child.process.once("error", leave).once("close", leave);
  waiting.push(entry);
}

async function dismiss({ child: { process: ended }, leave }: Waiting): Promise<void> {
  leave();
  ended.on("error", () => {});
  const closed = once(ended, "close");
  ended.kill("SIGKILL");
  await closed;
}

let compileCacheDir: string | undefined;

/**
 * Lets children keep their compiled code in a folder that nobody else can write to, for those that come after: loading then takes a quarter of the time. The folder may go away at any
 * time, but children make it anew; undefined ends that.
 */
export function keepCompiledCode(folder: string | undefined): void {
  compileCacheDir = folder;
}

function startChild(): Child {
  const started = fork(childFile, [], {
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
  started.stderr?.setEncoding("utf8").on("data", (text: string) => {
    output = (output + text).slice(-keptOutput);
  });
  return { process: started, output: () => output, niceness: 0 };
}
