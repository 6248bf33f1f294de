/** A worker of the `scale` part: one chunk after the other, with one thread for each encoder and decoder; the next one begins while the last one drains, as in the worker of the product. */
import { createSlot } from "@kinora/encoder-worker";
import type { ChunkPlan, EncodePlan } from "@kinora/media";
import { answerParent } from "../harness/child.ts";
import { encodeChunk, scratch, warmChildren } from "./kinora-encode.ts";

/** What a worker is started with: where it keeps compiled code. */
export type WorkerParameters = { compiledDir: string };

/** What the parent asks for. */
export type ChunkJob = { sourceUrl: string; plan: EncodePlan; chunk: ChunkPlan };

const stop = new AbortController();
const { compiledDir } = JSON.parse(process.argv[2] ?? "{}") as WorkerParameters;
const ready = warmChildren(compiledDir);
const slot = createSlot();

answerParent(
  {
    /** Answers once there is room for the next chunk. */
    begin: ({ sourceUrl, plan, chunk }: ChunkJob) =>
      slot.begin(async (onDraining) => {
        await using out = await scratch();
        await encodeChunk(sourceUrl, plan, chunk, { signal: stop.signal, outDir: out.path, threads: 1, onDraining });
      }),
    /** Answers once all chunks are done. */
    finish: () => slot.idle(),
  },
  async () => {
    stop.abort();
    await ready[Symbol.asyncDispose]();
  },
);
