/** A thousand workers and more in one process. Each leases, reports progress, asks for addresses and completes, as a real one does; only the encoding is a pause. */
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { type Client, createClient } from "@connectrpc/connect";
import { type Task, TaskKind, WorkerService } from "@kinora/proto-encoder";
import { createClientTransport } from "@kinora/rpc";
import { answerParent, childParameters } from "../harness/child.ts";
import { chunkResult, prepareEncodes, storeFiles } from "./simulated-media.ts";

/** What is simulated. */
export type Load = { workers: number; taskSeconds: number; rampSeconds: number; measureSeconds: number };

/** What was measured. */
export type Figures = {
  /** From asking for work to having it, of every lease that began in the measured time. */
  leaseMs: number[];
  beatMs: number[];
  faults: number;
  /** Calls made again after they were refused or lost. */
  repeatedCalls: number;
  /** Chunks that came with a second attempt. */
  repeated: number;
  completed: number;
  waitingAtEnd: number;
};

/** Workers that share a connection: as many as may have their calls on one at a time, with room for heartbeats. */
const perConnection = 100;
const beatSeconds = 2;

const { url, objects } = await childParameters<{ url: string; objects: string }>();
let queued = 0;

const heavy = [TaskKind.ENCODE, TaskKind.ENCODE_CHUNK, TaskKind.TRIAL];

type Encoder = Client<typeof WorkerService>;

async function run({ workers, taskSeconds, rampSeconds, measureSeconds }: Load): Promise<Figures> {
  const figures: Figures = {
    leaseMs: [],
    beatMs: [],
    faults: 0,
    repeatedCalls: 0,
    repeated: 0,
    completed: 0,
    waitingAtEnd: 0,
  };
  const stop = new AbortController();
  let measuring = false;
  const transports = Array.from({ length: Math.ceil(workers / perConnection) }, () =>
    createClientTransport({ baseUrl: url, token: "worker", timeoutMs: 60_000 }),
  );
  const clients = transports.map((transport) => createClient(WorkerService, transport));

  async function worker(client: Encoder, index: number): Promise<void> {
    const workerId = `bench-${index}`;
    await sleep((index / workers) * rampSeconds * 1000, undefined, { signal: stop.signal }).catch(ignore);
    while (!stop.signal.aborted) {
      const counted = measuring;
      const asked = performance.now();
      const task = await client
        .leaseTask(
          { workerId, encoders: ["cpu"], kinds: heavy, slots: 1, wait: { seconds: 20n, nanos: 0 } },
          { signal: stop.signal },
        )
        .then((answer) => answer.task, fault);
      if (task === undefined) continue;
      if (counted && !stop.signal.aborted) figures.leaseMs.push(performance.now() - asked);
      if ((task.lease?.attempt ?? 1) > 1) figures.repeated += 1;
      await encode(client, task).catch(fault);
    }
  }

  async function encode(client: Encoder, task: Task): Promise<void> {
    const { lease } = task;
    if (lease === undefined || task.work.case !== "encodeChunk") throw new Error(`Leased ${task.work.case}.`);
    const ends = performance.now() + taskSeconds * 1000;
    for (let left = taskSeconds * 1000; left > 0 && !stop.signal.aborted; left = ends - performance.now()) {
      await sleep(Math.min(left, beatSeconds * 1000), undefined, { signal: stop.signal }).catch(ignore);
      if (ends - performance.now() <= 0) break;
      const began = performance.now();
      const fraction = 1 - Math.max(0, ends - began) / (taskSeconds * 1000);
      await client.heartbeat({ lease, fraction, frames: BigInt(Math.round(fraction * 96)), speed: 0.4 }).catch(fault);
      if (measuring) figures.beatMs.push(performance.now() - began);
    }
    if (stop.signal.aborted) return;
    const { result, files } = chunkResult(task.work.value);
    const { uploads } = await patiently(() =>
      client.createUploads({
        lease,
        files: files.map(({ path, body }) => ({ path, bytes: BigInt(body.length) })),
      }),
    );
    // As if to a store of objects: those bytes never pass through the encoder.
    await storeFiles(
      objects,
      uploads.map((upload) => upload.url),
      files,
    );
    await patiently(() => client.completeTask({ lease, result: { case: "encodeChunk", value: result } }));
    figures.completed += 1;
  }

  /** As real workers do: what they have made isn't thrown away for a call that was refused. */
  async function patiently<T>(call: () => Promise<T>): Promise<T> {
    for (let tries = 0; ; tries += 1) {
      try {
        return await call();
      } catch (error) {
        if (tries === 6 || stop.signal.aborted) throw error;
        figures.repeatedCalls += 1;
        await sleep(200 * 2 ** tries, undefined, { signal: stop.signal }).catch(ignore);
      }
    }
  }

  function fault(error: unknown): undefined {
    if (stop.signal.aborted) return undefined;
    figures.faults += 1;
    if (figures.faults <= 5) console.error("worker:", error instanceof Error ? error.message : error);
    return undefined;
  }

  const all = Array.from({ length: workers }, (_, index) =>
    worker(clients[Math.floor(index / perConnection)] as Encoder, index),
  );
  await sleep(rampSeconds * 1000);
  measuring = true;
  await sleep(measureSeconds * 1000);
  measuring = false;
  stop.abort();
  await Promise.all(all);
  for (const transport of transports) transport.close();
  figures.waitingAtEnd = queued - figures.completed - workers;
  return figures;
}

const ignore = () => {};

answerParent({
  async prepare({ tasks, workers }: { tasks: number; workers: number }) {
    queued = await prepareEncodes({ url, tasks, workers, people: Array.from({ length: 20 }, () => randomUUID()) });
    return queued;
  },
  run,
});
