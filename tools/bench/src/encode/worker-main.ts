/**
 * A worker that is measured. It is asked for a whole encode, or for one chunk after the other with one thread for each encoder and decoder; the next chunk begins while the last one drains, as in the worker of the
 * product.
 */
import { join } from "node:path";
import { createSlot } from "@kinora/encoder-worker";
import type { ChunkPlan, EncodePlan } from "@kinora/media";
import { answerParent, childParameters } from "../harness/child.ts";
import { type Cost, costOf } from "./cpu-time.ts";
import { encodeAsWorker, encodeChunk, scratch, warmChildren } from "./kinora-encode.ts";

/** What a worker is started with: the folder for all that it writes, which its parent removes. */
export type WorkerParameters = { folder: string };

/** What `encode` and `begin` are asked with. */
export type WholeJob = { sourceUrl: string };
export type ChunkJob = { sourceUrl: string; plan: EncodePlan; chunk: ChunkPlan };

const stop = new AbortController();
const { folder } = await childParameters<WorkerParameters>();
const ready = warmChildren(join(folder, "compiled"));
const slot = createSlot();

answerParent(
  {
    /** Answers with what it has cost, once all is done. */
    encode: ({ sourceUrl }: WholeJob): Promise<Cost> =>
      costOf(async () => {
        await using out = await scratch(folder);
        await encodeAsWorker(sourceUrl, { signal: stop.signal, outDir: out.path });
      }),
    /** Answers once there is room for the next chunk. */
    begin: ({ sourceUrl, plan, chunk }: ChunkJob) =>
      slot.begin(async (onDraining) => {
        await using out = await scratch(folder);
        const options = { signal: stop.signal, outDir: out.path, threads: 1, video: sourceUrl, onDraining };
        await encodeChunk(sourceUrl, plan, chunk, options);
      }),
    /** Answers once all chunks are done. */
    finish: () => slot.idle(),
  },
  async () => {
    stop.abort();
    await ready[Symbol.asyncDispose]();
  },
);
