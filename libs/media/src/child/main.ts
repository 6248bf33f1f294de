/**
 * One task after the other, all of one video, until the parent ends it: the only process that loads FFmpeg. A fault, a crash and a cancellation all become the death of this process. It talks to its parent
 * over Node's channel (`task-messages.ts`) and doesn't outlive it.
 */
import { once } from "node:events";
import { flushCompileCache } from "node:module";
import { setFlagsFromString } from "node:v8";
import { AV_LOG_ERROR } from "node-av/constants";
import { Log } from "node-av/lib";
import { TaskError } from "../task-error.ts";
import type { ChildMessage, ParentMessage } from "../task-messages.ts";
import { createDelivery } from "./delivery.ts";
import { givenWay, giveWay } from "./give-way.ts";
import { offerMemory } from "./offer-memory.ts";
import { perform } from "./perform.ts";

// Not `process.exit`: that waits for threads of FFmpeg's that wait for JavaScript.
const die = () => process.kill(process.pid, "SIGKILL");
process.once("disconnect", die);
// The parent may have gone while this was being loaded.
if (!process.connected) die();

const send = (message: ChildMessage): Promise<void> =>
  new Promise((resolve) => {
    if (process.send) process.send(message, () => resolve());
    else resolve();
  });

/** Progress is told at most this often. */
const progressMs = 250;

/** From the first picture on, no speed is told for this long, or half of the task: a few pictures say little, and nothing of the way to them. */
const untimedMs = 1_000;

Log.setLevel(AV_LOG_ERROR);
offerMemory();
// Node would do so at its end, but this process ends by a signal.
flushCompileCache();
// A heap of 10 MB may become 200 before it is searched for garbage. Nearly all memory here is FFmpeg's and freed by hand, yet V8 would search twice a second, for 3 % of the CPU. Not by a flag on the command line: any
// there costs a start 20 ms.
setFlagsFromString("--heap-growing-percent=2000");
for (;;) {
  const [message] = (await once(process, "message")) as [ParentMessage];
  if (message.type !== "start") continue;
  const before = process.cpuUsage();
  const tell = () => {
    const { user, system } = process.cpuUsage(before);
    void send({ type: "alive", memoryBytes: process.memoryUsage.rss(), cpuSeconds: (user + system) / 1e6 });
  };
  const alive = setInterval(tell, 200);
  const ended = await run(message);
  clearInterval(alive);
  // How large it is decides whether it does another one.
  tell();
  await send(ended);
}

async function run({
  task,
  outputLimitBytes,
  threads = 0,
  niceness = 0,
}: Extract<ParentMessage, { type: "start" }>): Promise<ChildMessage> {
  giveWay(niceness - givenWay());
  let toldAt = 0;
  let measuredFrom: { at: number; mediaSeconds: number } | undefined;
  const onProgress = (progress: { frames: number; fraction: number; mediaSeconds?: number }) => {
    const now = performance.now();
    if (now - toldAt < progressMs) return;
    toldAt = now;
    const { frames, fraction, mediaSeconds = 0 } = progress;
    if (mediaSeconds > 0) measuredFrom ??= { at: now, mediaSeconds };
    const elapsed = measuredFrom === undefined ? 0 : now - measuredFrom.at;
    const speed =
      elapsed < untimedMs && fraction < 0.5
        ? 0
        : ((mediaSeconds - (measuredFrom?.mediaSeconds ?? 0)) / Math.max(elapsed, 1)) * 1000;
    void send({ type: "progress", frames, fraction: Math.min(1, Math.max(0, fraction)), speed });
  };
  let sourceUrl = "sourceUrl" in task ? task.sourceUrl : "";
  const delivery = createDelivery({
    outDir: "outDir" in task ? task.outDir : "",
    outputLimitBytes,
    announce: (path, bytes) => send({ type: "file", path, bytes }),
  });
  const onMessage = (message: ParentMessage) => {
    if (message.type === "taken") delivery.taken(message.path);
    if (message.type === "source") sourceUrl = message.url;
  };
  process.on("message", onMessage);
  try {
    const result = await perform(task, {
      sourceUrl: () => sourceUrl,
      delivery,
      threads,
      onProgress,
      onTrack: (track) => void send({ type: "track", track }),
      onDraining: () => void send({ type: "draining" }),
    });
    return { type: "result", result, niceness: givenWay() };
  } catch (error) {
    const detail =
      error instanceof Error ? (error.cause instanceof Error ? error.cause.message : (error.stack ?? "")) : "";
    if (error instanceof TaskError) return { type: "fault", kind: error.kind, message: error.message, detail };
    return { type: "fault", kind: "machine", message: `The video could not be handled: ${String(error)}`, detail };
  } finally {
    process.off("message", onMessage);
  }
}
